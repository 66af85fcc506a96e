import type { Command } from '@assay/core/domain/engine/types'
import { canonical } from '@assay/core/domain/journal/canonical'
import type { Waiting } from './hosted.ts'
import { sha256Text } from './seal.ts'
import type { RefusalCode, StoredAnswer, Submission } from './types.ts'

export function refuse(waiting: Waiting, code: RefusalCode, detail: string, retryAfterS?: number): void {
  waiting.resolve({ kind: 'refused', code, detail, ...(retryAfterS === undefined ? {} : { retryAfterS }) })
}
/** Not stamped: whoever has the slot now can take it. */
export const refuseMoving = (waiting: Waiting): void =>
  waiting.resolve({
    kind: 'refused',
    code: 'unavailable',
    detail: 'The account is moving. Try again.',
    retryAfterS: 1,
    moving: true,
  })
export const answerFrom = (waiting: Waiting, stored: StoredAnswer, replayed: boolean): void =>
  waiting.resolve({ kind: 'answer', answer: stored.answer, receipt: stored.receipt, replayed })

/** Commands that become an order of their own, and use a client_order_id up. */
export const placesOrder = (command: Command): command is Extract<Command, { op: 'order' | 'close' }> =>
  command.op === 'order' || command.op === 'close'
/** An order without client_order_id gets the request id. */
export const clientIdOf = (s: Submission): string =>
  placesOrder(s.command) ? (s.command.client_order_id ?? s.requestId) : s.requestId
export const bodyHashOf = (s: Submission): string => sha256Text(canonical(s.command))
