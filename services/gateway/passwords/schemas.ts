import { z } from 'zod'
import { Email, NewPassword } from '../auth/schemas.ts'

export const ForgotBody = z.strictObject({ email: Email })

export const ResetBody = z.strictObject({
  token: z.string().min(1).max(200).describe('Of the letter; good once, for 30 minutes'),
  password: NewPassword,
})
export type ResetBody = z.infer<typeof ResetBody>

export const HashBody = z.strictObject({ password: NewPassword })

export const HashedPassword = z.object({
  success: z.literal(true),
  hash: z.string().describe('ASSAY_OPERATOR_PASSWORD takes it too'),
  algorithm: z.literal('argon2id'),
})
export type HashedPassword = z.infer<typeof HashedPassword>
