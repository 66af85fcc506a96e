import { AssayError } from '@assay/core/contracts/errors'
import type { Connection } from '../push/connection.ts'
import type { Op } from '../push/protocol.ts'
import { sendError } from '../push/receive.ts'

/** A new access token of the same user carries the connection on. It may allow less: every channel is asked again. */
export async function renew(connection: Connection, op: Op<'renew'>): Promise<void> {
  const { hub, caller } = connection
  const actor = await hub.tokens.verify(op.token, caller.address)
  if (actor.userId !== caller.actor.userId || actor.tenant !== caller.actor.tenant) {
    throw new AssayError('forbidden', 'The token is of another user.', { field: 'token' })
  }
  connection.caller = { ...caller, actor, credential: op.token }
  for (const { channel, source, key } of [...connection.subscriptions.values()]) {
    try {
      await source.authorize(connection.caller, key)
    } catch (error) {
      connection.unsubscribe(channel)
      sendError(connection, error, { id: op.id, channel })
    }
  }
  connection.send({ type: 'ack', id: op.id, data: { op: op.op, expires_at: actor.expiresAt ?? null } })
}
