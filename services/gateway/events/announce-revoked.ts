import { identityRevoked } from '@assay/core/contracts/topics/identity'
import type { Sql } from '@assay/core/ports/db/port'
import { appendEvent } from './append-event.ts'

export interface Revoked {
  what: 'session' | 'key' | 'user'
  /** null: everything of the user */
  id: string | null
  userId: string
}

/** Tells other services, and the WebSocket connections they hold, in the transaction that revokes. */
export const announceRevoked = (sql: Pick<Sql, 'query'>, { what, id, userId }: Revoked): Promise<void> =>
  appendEvent(sql, identityRevoked, {
    aggregate: `revoked:${userId}`,
    key: userId,
    data: { what, id, user_id: userId },
  })
