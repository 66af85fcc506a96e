import { SCOPES } from '@assay/core/contracts/scopes'
import { z } from 'zod'

export const PASSWORD_MIN = 8
export const PASSWORD_MAX = 128

/** Six digits of the app, or a recovery code. */
export const SecondFactorCode = z
  .string()
  .regex(/^(\d{6}|[a-z2-7]{6}(-[a-z2-7]{6}){3})$/i, 'must be the 6 digits of the app or a recovery code')

/** Its length goes first: the pattern takes a second for a MiB of dots. */
export const Email = z.string().max(254, { abort: true }).email('must be an e-mail address')
export const PersonName = z.string().trim().min(1).max(100)
export const TenantId = z
  .string()
  .regex(/^[a-z0-9](-?[a-z0-9]){0,62}$/, 'must be lower-case letters, digits and single dashes, at most 63')
const role = z.enum(['trader', 'operator', 'admin', 'bot', 'service'])

/**
 * Length only: composition rules make passwords worse (NIST SP 800-63B). What is too common is refused by
 * passwords/check-password.ts.
 */
export const NewPassword = z
  .string()
  .min(PASSWORD_MIN, `must have at least ${PASSWORD_MIN} characters`)
  .max(PASSWORD_MAX, `must have at most ${PASSWORD_MAX} characters`)

export const RegisterBody = z.object({
  email: Email,
  password: NewPassword,
  name: PersonName.optional().describe('Default: the part of the e-mail before the @'),
})
export type RegisterBody = z.infer<typeof RegisterBody>

const missing = (path: string) => ({ code: 'custom' as const, path: [path], message: 'is missing' })
/** No rule on the password here: a wrong one is wrong, however long. */
export const LoginBody = z
  .object({
    email: Email.optional(),
    password: z.string().min(1).max(PASSWORD_MAX).optional(),
    totp: SecondFactorCode.optional().describe('Code of the second factor, or a recovery code'),
    device: z.string().trim().min(1).max(100).optional().describe('Enrol this device, under this name'),
    device_secret: z.string().min(1).max(100).optional().describe('Of an enrolled device'),
    pin: z
      .string()
      .regex(/^\d{6}$/, 'must be 6 digits')
      .optional()
      .describe("The operator's, for bot control, alone"),
  })
  .superRefine(({ email, password, pin }, { addIssue }) => {
    if (pin === undefined && email === undefined) addIssue(missing('email'))
    if (pin === undefined && password === undefined) addIssue(missing('password'))
    if (pin !== undefined && (email ?? password) !== undefined)
      addIssue({ code: 'custom', path: ['pin'], message: 'is sent without e-mail and password' })
  })
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
  second_factor: z
    .literal('enrol')
    .optional()
    .describe('A second factor is wanted: until it is on, the token holds what turns it on and nothing else'),
  password: z
    .literal('change')
    .optional()
    .describe('It was drawn at the first start: until PATCH /api/users/me has another one, the token holds account:*'),
  device: z
    .object({ id: z.uuid(), secret: z.string().describe('Shown this once') })
    .optional()
    .describe('The device that was enrolled'),
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
