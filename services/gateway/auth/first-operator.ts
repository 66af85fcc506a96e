import { randomBytes } from 'node:crypto'
import type { GatewayDeps } from '../deps.ts'
import { weaknessOf } from '../passwords/check-password.ts'
import { createUser } from './create-user.ts'

/** Shorter ones and those that examples use are refused in production. */
const STRONG_LENGTH = 12
const EXAMPLES = /password|passwort|12345|qwerty|letmein|changeme|operator|admin|assay|example/i

export interface FirstOperator {
  email: string
  /** unset: generated */
  password: string | undefined
  production: boolean
}

/** Throws an error that names the variable when the configured password is unsafe for production. */
export function checkOperatorPassword({ password, production }: FirstOperator): void {
  // of a hash nothing can be said; it was checked when it was made
  if (!production || password === undefined || isHash(password)) return
  if (password.length >= STRONG_LENGTH && !EXAMPLES.test(password) && !weaknessOf(password)) return
  throw new Error(`ASSAY_OPERATOR_PASSWORD is too weak for production: ${STRONG_LENGTH} characters, no usual word.`)
}

/** Makes the first operator where there is none yet. The answer is what to tell the person who started the platform. */
export async function makeFirstOperator(
  first: FirstOperator,
  deps: Pick<GatewayDeps, 'auth' | 'database' | 'hasher'>,
): Promise<string[]> {
  checkOperatorPassword(first)
  const isThere = async () =>
    (await deps.database.query(`select 1 from users where role in ('operator', 'admin') limit 1`)).length > 0
  if (await isThere()) return []
  const password = first.password ?? randomBytes(18).toString('base64url')
  const input = { email: first.email, role: 'operator' as const, password, hashed: isHash(password) }
  const user = await createUser({ input, deps }).catch(async (error: unknown) => {
    // another gateway that started at the same moment was first
    if (await isThere()) return null
    throw error
  })
  if (!user) return []
  return first.password === undefined ? [`first operator: ${user.email}  password: ${password}  (shown this once)`] : []
}

/** What POST /api/auth/hash-password gives. */
const isHash = (password: string): boolean => /^(pepper1:)?\$argon2id\$/.test(password)
