import { flag } from '@assay/core/kernel/config-values'
import { z } from 'zod'

const count = z.coerce.number().int().positive()

export const config = z.object({
  /** a session without a refresh ends after this */
  SESSION_TIMEOUT_MINUTES: count.max(12 * 60).default(30),
  /** false is refused in production; login attempts are limited all the same */
  RATE_LIMIT_ENABLED: flag().default(true),
  /** every client, for each route class */
  RATE_LIMIT_PER_MINUTE: count.default(60),
  /** reads without a credential, by address */
  RATE_LIMIT_PER_HOUR: count.default(50),
  RATE_LIMIT_PER_DAY: count.default(200),
  /** the operator made at the first start */
  ASSAY_OPERATOR_EMAIL: z.email().default('operator@assay.example'),
  /** unset: generated and printed once */
  ASSAY_OPERATOR_PASSWORD: z.string().optional(),
})
export type Config = z.infer<typeof config>
