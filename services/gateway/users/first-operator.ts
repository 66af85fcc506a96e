import { recordAudit } from '@assay/core/kernel/audit'
import type { Sql } from '@assay/core/ports/db/port'
import type { GatewayDeps } from '../deps.ts'
import { DRAWN_MS, drawPassword } from '../passwords/drawn-password.ts'
import { weaknessOf } from '../passwords/require-good-password.ts'
import { setPassword } from '../passwords/set-password.ts'
import { createUser } from './create-user.ts'
import { findUser } from './rows.ts'

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

type Deps = Pick<GatewayDeps, 'auth' | 'database' | 'hasher' | 'clock' | 'verifier'>

/** Makes the first operator where there is none yet. The answer is what to tell the person who started the platform. */
export async function makeFirstOperator(first: FirstOperator, deps: Deps): Promise<string[]> {
  checkOperatorPassword(first)
  const isThere = async () =>
    (await deps.database.query(`select 1 from users where role in ('operator', 'admin') limit 1`)).length > 0
  if (await isThere()) return drawAgain(first, deps)
  const drawn = first.password === undefined ? drawPassword() : null
  const password = first.password ?? drawn!
  const hash = isHash(password) ? password : await deps.hasher.hash(password)
  // whoever configures the platform says whose address it is
  const input = { email: first.email, role: 'operator' as const, password: hash, hashed: true, emailConfirmed: true }
  const user = await deps.database
    .inTransaction(async (sql) => {
      const made = await createUser({ input, deps })
      if (drawn) await markDrawn(sql, deps, made.id)
      return made
    })
    .catch(async (error: unknown) => {
      // another gateway that started at the same moment was first
      if (await isThere()) return null
      throw error
    })
  return user && drawn ? [notice(user.email, drawn)] : []
}

/** A password that was drawn, and has ended before its user chose another one: the configured one, or another that is drawn. */
async function drawAgain({ password }: FirstOperator, deps: Deps): Promise<string[]> {
  const ended = new Date(deps.clock.now() - DRAWN_MS)
  const [stale] = await deps.database.query<{ user_id: string }>(
    `select a.user_id from accounts a join users u on u.id = a.user_id
      where a.drawn_at < $1 and u.disabled_at is null order by a.user_id limit 1`,
    [ended],
  )
  if (!stale) return []
  const drawn = password === undefined ? drawPassword() : null
  const wanted = password ?? drawn!
  const hash = isHash(wanted) ? wanted : await deps.hasher.hash(wanted)
  const user = await deps.database.inTransaction(async (sql) => {
    const [still] = await sql.query('select 1 from accounts where user_id = $1 and drawn_at < $2 for update', [
      stale.user_id,
      ended,
    ])
    const user = still && (await findUser(sql, stale.user_id))
    if (!user) return null
    await setPassword(sql, deps, { userId: user.id, hash })
    if (drawn) await markDrawn(sql, deps, user.id)
    const { id: actor, tenant } = user
    await recordAudit(sql, { action: 'password.drawn', actor, tenant, detail: { user: actor } })
    return user
  })
  if (!user) return []
  deps.verifier.revokeUser(user.id)
  return drawn ? [notice(user.email, drawn)] : []
}

const markDrawn = (sql: Sql, { clock }: Pick<GatewayDeps, 'clock'>, userId: string) =>
  sql.query(`update accounts set drawn_at = $2 where user_id = $1 and provider_id = 'credential'`, [
    userId,
    new Date(clock.now()),
  ])

const notice = (email: string, password: string): string =>
  `first operator: ${email}  password: ${password}  (shown this once; within 24 hours choose another one by PATCH /api/users/me: it is good for nothing else)`

/** What POST /api/auth/hash-password gives. */
const isHash = (password: string): boolean => /^(pepper1:)?\$argon2id\$/.test(password)
