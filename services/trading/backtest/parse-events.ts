import { Decimal } from '@assay/core/contracts/wire/decimal'
import { SymbolName } from '@assay/core/contracts/wire/instrument'
import { parseWire } from '@assay/core/contracts/wire/parse'
import type { RateTick, StateTick } from '@assay/core/domain/market/event'
import { z } from 'zod'
import { At, msOf } from './at.ts'
import { readJsonLines } from './json-lines.ts'

const VENUE = 'replay'
const of = { at: At, symbol: SymbolName }
const Told = z
  .discriminatedUnion('kind', [
    z.strictObject({
      ...of,
      kind: z.literal('symbol_state'),
      state: z.enum(['open', 'closed', 'halted', 'unknown', 'settled']),
      price: Decimal.optional(),
      reason: z.string().max(200).optional(),
    }),
    z.strictObject({
      ...of,
      kind: z.literal('rate'),
      what: z.enum(['funding', 'swap']),
      rate: Decimal.optional(),
      long: Decimal.optional(),
      short: Decimal.optional(),
    }),
  ])
  .superRefine((told, ctx) => {
    const need = (field: string, has: boolean) => {
      if (!has) ctx.addIssue({ code: 'custom', path: [field], message: 'is needed here' })
    }
    if (told.kind === 'symbol_state') {
      if (told.price !== undefined && told.state !== 'settled')
        ctx.addIssue({ code: 'custom', path: ['price'], message: 'goes with settled only' })
    } else if (told.what === 'funding') need('rate', told.rate !== undefined)
    else for (const side of ['long', 'short'] as const) need(side, told[side] !== undefined)
  })

/** What a recording of prices lacks: halts, settlements, funding and swap rates; JSON lines with a time each, ordered by it. */
export function parseEvents(text: string, file: string): (StateTick | RateTick)[] {
  const ticks = readJsonLines(text, file, (fields, line) => {
    const { at, ...told } = parseWire(Told, fields)
    return { ...told, venue: VENUE, ts: msOf(at), pos: line }
  })
  return ticks.sort((a, b) => a.ts - b.ts)
}
