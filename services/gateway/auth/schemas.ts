import { SCOPES } from '@assay/core/contracts/scopes'
import { z } from 'zod'

export const PASSWORD_MIN = 8
export const PASSWORD_MAX = 128

const email = z.email('must be an e-mail address').max(254)
const role = z.enum(['trader', 'operator', 'admin', 'bot', 'service'])

/** Length only: composition rules make passwords worse (NIST SP 800-63B). */
const newPassword = z
  .string()
  .min(PASSWORD_MIN, `must have at least ${PASSWORD_MIN} characters`)
  .max(PASSWORD_MAX, `must have at most ${PASSWORD_MAX} characters`)

export const RegisterBody = z.object({
  email,
  password: newPassword,
  name: z.string().trim().min(1).max(100).optional().describe('Default: the part of the e-mail before the @'),
})
export type RegisterBody = z.infer<typeof RegisterBody>

/** No rule on the password here: a wrong one is wrong, however long. */
export const LoginBody = z.object({ email, password: z.string().min(1).max(PASSWORD_MAX) })
export type LoginBody = z.infer<typeof LoginBody>

export const RefreshBody = z.object({ refresh_token: z.string().min(1).max(200) })
export type RefreshBody = z.infer<typeof RefreshBody>

export const User = z.object({
  id: z.uuid(),
  email: z.string(),
  name: z.string(),
  role,
  tenant: z.string(),
  plan: z.string(),
})
export type User = z.infer<typeof User>
export type Role = User['role']

export const Registered = z.object({ success: z.literal(true), user: User })

export const Tokens = z.object({
  success: z.literal(true),
  token: z.string().describe('Access token: Authorization: Bearer'),
  refresh_token: z.string().describe('Good once; its answer carries the next one'),
  expires_in: z.int().describe('Seconds until the access token ends'),
})
export type Tokens = z.infer<typeof Tokens>

export const Done = z.object({ success: z.literal(true) })

export const Checked = z.object({
  authenticated: z.literal(true),
  user: User,
  scopes: z.array(z.enum(SCOPES)),
  credential: z.enum(['session', 'api_key']),
  expires_at: z.iso.datetime().nullable().describe('Of the credential sent'),
})
export type Checked = z.infer<typeof Checked>

export const Jwks = z.object({
  keys: z.array(
    z.object({
      kid: z.string(),
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: z.string(),
      alg: z.literal('EdDSA'),
      use: z.literal('sig'),
    }),
  ),
})

export const SigningKeyReplaced = z.object({
  kid: z.string().describe('Of the new key, in the JWKS at once'),
  signs_from: z.iso.datetime().describe('Tokens of the keys before it stay valid until they expire'),
})
export type SigningKeyReplaced = z.infer<typeof SigningKeyReplaced>
