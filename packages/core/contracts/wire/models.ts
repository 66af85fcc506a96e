import { z } from 'zod'
import * as account from './account.ts'
import * as assessment from './assessment.ts'
import * as calendar from './calendar.ts'
import * as instrument from './instrument.ts'
import * as order from './order.ts'
import * as preview from './order-preview.ts'
import * as request from './order-request.ts'
import * as preset from './preset.ts'
import * as purchase from './purchase.ts'
import * as rules from './rules.ts'
import * as tier from './tier.ts'

const MODULES = [account, assessment, calendar, instrument, order, preview, request, preset, purchase, rules, tier]

/** Every wire schema by its name: what the API document may refer to instead of repeating it. */
export const MODELS: Readonly<Record<string, z.ZodType>> = Object.fromEntries(
  MODULES.flatMap((module) => Object.entries(module)).filter(
    (entry): entry is [string, z.ZodType] => /^[A-Z]/.test(entry[0]) && entry[1] instanceof z.ZodType,
  ),
)
