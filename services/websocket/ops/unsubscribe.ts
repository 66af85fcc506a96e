import type { Connection } from '../push/connection.ts'
import type { Op } from '../push/protocol.ts'
import { sendError } from '../push/receive.ts'
import { resolveChannel } from '../push/resolve-channel.ts'

/** After the ack nothing more comes on the channel. Leaving one that is not held is no error. */
export async function unsubscribe(connection: Connection, op: Op<'unsubscribe'>): Promise<void> {
  for (const requested of new Set(op.channels)) {
    try {
      const { channel } = await resolveChannel(connection.hub, requested)
      const held = connection.unsubscribe(channel)
      connection.send({ type: 'ack', id: op.id, channel, data: { op: op.op, held } })
    } catch (error) {
      sendError(connection, error, { id: op.id, channel: requested })
    }
  }
}
