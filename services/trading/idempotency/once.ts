import { AssayError, type ErrorCode } from '@assay/core/contracts/errors'
import { canonical } from '@assay/core/domain/journal/canonical'
import { sha256Hex } from '@assay/core/domain/journal/hash'
import { requireActor } from '@assay/core/kernel/auth'
import type { Ctx } from '@assay/core/kernel/context'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Row, Sql } from '@assay/core/ports/db/port'

export interface OnceDeps {
  db: Sql
  clock: Pick<Clock, 'now'>
}
/** An answer is kept this long. */
export const KEPT_MS = 24 * 3_600_000
/** A first attempt that has not answered for this long is taken over: its process is gone. */
export const ABANDONED_MS = 30_000

/** What is stored: the value that the effect returned, or the refusal that it ended in. */
type Stored<T> = { value: T } | { refusal: { code: ErrorCode; detail: string } }

export interface Attempt<T> {
  /** the id of what is made; the same when a broken attempt is taken over */
  subject: string
  /** stores the answer beside the effect, in the effect's own transaction */
  keep: (sql: Sql, answer: Stored<T>) => Promise<void>
}
export interface Once {
  ctx: Ctx
  /** `POST /api/purchases` */
  route: string
  key: string | undefined
  body: unknown
}
interface KeyRow extends Row {
  body_hash: string
  subject: string
  answer: Stored<never> | null
  claimed_at: Date
  created_at: Date
}

/**
 * Runs the effect at most once per user, route and key, and answers a repeat with what the first one answered.
 * Throws idempotency_key_reused for another body, idempotency_in_progress while the first attempt runs. Without a key it just runs.
 */
export async function once<T>(deps: OnceDeps, asked: Once, effect: (attempt: Attempt<T>) => Promise<T>): Promise<T> {
  const { ctx, route, key, body } = asked
  if (key === undefined) return effect({ subject: Bun.randomUUIDv7(), keep: async () => {} })
  if (!/^[\x21-\x7e]{1,128}$/.test(key)) {
    throw new AssayError('validation_failed', 'Idempotency-Key must be 1 to 128 printable characters.', {
      field: 'Idempotency-Key',
    })
  }
  const actor = requireActor(ctx)
  const id = [actor.tenant, actor.userId, route, key]
  const claimed = await claim<T>(deps, id, sha256Hex(canonical(body)))
  if ('answer' in claimed) return open(claimed.answer)
  try {
    return await effect({
      subject: claimed.subject,
      keep: async (sql, answer) => {
        await sql.query(`update trading.idempotency set answer = $5::jsonb where ${sameKey()}`, [
          ...id,
          JSON.stringify(answer),
        ])
      },
    })
  } catch (error) {
    // a refusal that kept no answer did nothing: the key is free again
    if (error instanceof AssayError)
      await deps.db.query(`delete from trading.idempotency where ${sameKey()} and answer is null`, id)
    throw error
  }
}

const sameKey = () => 'tenant = $1 and user_id = $2 and route = $3 and key = $4'

async function claim<T>(
  deps: OnceDeps,
  id: string[],
  bodyHash: string,
): Promise<{ subject: string } | { answer: Stored<T> }> {
  const now = new Date(deps.clock.now())
  const expired = new Date(deps.clock.now() - KEPT_MS)
  const subject = Bun.randomUUIDv7()
  const [taken] = await deps.db.query(
    `insert into trading.idempotency (tenant, user_id, route, key, body_hash, subject, claimed_at, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7)
     on conflict (tenant, user_id, route, key) do update
       set body_hash = excluded.body_hash, subject = excluded.subject, answer = null, claimed_at = excluded.claimed_at, created_at = excluded.created_at
       where idempotency.created_at <= $8
     returning subject`,
    [...id, bodyHash, subject, now, expired],
  )
  if (taken) return { subject }
  const [row] = await deps.db.query<KeyRow>(
    `select body_hash, subject, answer, claimed_at from trading.idempotency where ${sameKey()}`,
    id,
  )
  if (!row)
    throw new AssayError('idempotency_in_progress', 'The first request with this key has just ended; send it again.', {
      retryAfterS: 1,
    })
  if (row.body_hash !== bodyHash)
    throw new AssayError('idempotency_key_reused', 'This Idempotency-Key was used with another body.')
  if (row.answer) return { answer: row.answer }
  const [over] = await deps.db.query<KeyRow>(
    `update trading.idempotency set claimed_at = $5 where ${sameKey()} and answer is null and claimed_at <= $6 returning subject`,
    [...id, now, new Date(deps.clock.now() - ABANDONED_MS)],
  )
  if (over) return { subject: over.subject }
  throw new AssayError('idempotency_in_progress', 'The first request with this key is still running.', {
    retryAfterS: 1,
  })
}

function open<T>(answer: Stored<T>): T {
  if ('refusal' in answer) throw new AssayError(answer.refusal.code, answer.refusal.detail)
  return answer.value
}

/** Drops answers past their time; returns how many. */
export async function forgetOldKeys(deps: OnceDeps): Promise<number> {
  const rows = await deps.db.query('delete from trading.idempotency where created_at <= $1 returning key', [
    new Date(deps.clock.now() - KEPT_MS),
  ])
  return rows.length
}
