import { z } from 'zod'
import { PASSWORD_MAX, SecondFactorCode } from '../auth/schemas.ts'

const password = z.string().min(1).max(PASSWORD_MAX).describe('The current one')

export const EnableBody = z.object({ password })
export const VerifyBody = z.object({ code: SecondFactorCode })
export const DisableBody = z.object({ password, code: SecondFactorCode })

export const NewFactor = z.object({
  success: z.literal(true),
  otpauth_url: z.string().describe('For the app, as a QR code; shown this once'),
  secret: z.string().describe('The same key, to type in'),
})
export type NewFactor = z.infer<typeof NewFactor>

export const FactorShown = z.object({
  success: z.literal(true),
  recovery_codes: z
    .array(z.string())
    .describe('When it was turned on by this code: each stands in for the app once. Shown this once; else empty'),
})
export type FactorShown = z.infer<typeof FactorShown>
