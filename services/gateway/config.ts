import { flag, list } from '@assay/core/kernel/config/values'
import { isAddressRange } from '@assay/core/kernel/proxies'
import { publicUrl } from '@assay/core/kernel/public-url'
import { z } from 'zod'

const count = z.coerce.number().int().positive()

export const config = z.object({
  /** issuer of OAuth's tokens */
  PUBLIC_URL: publicUrl(),
  /** a session without a refresh ends after this */
  SESSION_TIMEOUT_MINUTES: count.max(12 * 60).default(30),
  /** false is refused in production; login attempts are limited all the same */
  RATE_LIMIT_ENABLED: flag().default(true),
  /** every client, for each route class */
  RATE_LIMIT_PER_MINUTE: count.default(60),
  /** reads without a credential, by address */
  RATE_LIMIT_PER_HOUR: count.default(50),
  RATE_LIMIT_PER_DAY: count.default(200),
  /** every operator and admin needs a second factor */
  ASSAY_REQUIRE_MFA: flag().default(false),
  /** an operator's login for bot control; unset: there is none */
  BOT_CONTROL_PIN: z
    .string()
    .regex(/^\d{6}$/, 'must be 6 digits')
    .optional(),
  /** whose PIN it is; unset: the first operator's */
  BOT_CONTROL_ACCOUNT: z.email().optional(),
  /** from where it needs no enrolled device */
  BOT_CONTROL_ADDRESSES: list(z.string().refine(isAddressRange, 'must be addresses or CIDR ranges')),
  /** new password hashes depend on a key of the secrets port too */
  PASSWORD_PEPPER: flag().default(false),
  /** the operator made at the first start */
  ASSAY_OPERATOR_EMAIL: z.email().default('operator@assay.example'),
  /** unset: drawn and printed once, to be changed at the first login */
  ASSAY_OPERATOR_PASSWORD: z.string().optional(),
})
export type Config = z.infer<typeof config>
