import { AssayError, ERRORS, type ErrorCode } from '@assay/core/contracts/errors'
import type { Answer } from '@assay/core/domain/engine/types'
import type { Reply } from './engine/types.ts'

type Answered = Extract<Reply, { kind: 'answer' }>
export type Taken = Omit<Answered, 'answer'> & { answer: Extract<Answer, { ok: true }> }

/** A client may try again after this long where the engine names no time. */
const RETRY_AFTER_S = 1
const PASSING: readonly ErrorCode[] = ['queue_full', 'engine_behind', 'unavailable', 'disk_full']

/** What the engine did, or the AssayError of what it refused (journalled) or did not take (not journalled). */
export function takenAnswer(reply: Reply): Taken {
  if (reply.kind === 'refused') {
    const retryAfterS = reply.retryAfterS ?? (PASSING.includes(reply.code) ? RETRY_AFTER_S : undefined)
    const { order } = reply
    throw new AssayError(reply.code, reply.detail, {
      ...(retryAfterS === undefined ? {} : { retryAfterS }),
      ...(order ? { order } : {}),
    })
  }
  const { answer } = reply
  if (answer.ok) return { ...reply, answer }
  throw new AssayError(codeOf(answer.code), answer.detail, {
    ...(answer.field ? { field: answer.field } : {}),
    ...(answer.nearest ? { nearest: answer.nearest } : {}),
    ...(answer.retryable ? { retryAfterS: RETRY_AFTER_S, retryable: true } : {}),
  })
}
const codeOf = (code: string): ErrorCode => (code in ERRORS ? (code as ErrorCode) : 'internal')
