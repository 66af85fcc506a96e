import { AssayError } from '@assay/core/contracts/errors'
import { catchUp } from '../push/catch-up.ts'
import type { Connection } from '../push/connection.ts'
import { joinFeed } from '../push/feed.ts'
import type { Op } from '../push/protocol.ts'
import { sendError } from '../push/receive.ts'
import { resolveChannel } from '../push/resolve-channel.ts'
import { Subscription } from '../push/subscription.ts'

/** Each channel answers for itself: ack, then its snapshot or the events after `from`; or an error. */
export async function subscribe(connection: Connection, op: Op<'subscribe'>): Promise<void> {
  const opening = [...new Set(op.channels)].map(async (requested) => {
    try {
      await subscribeOne(connection, op, requested)
    } catch (error) {
      sendError(connection, error, { id: op.id, channel: requested })
    }
  })
  await Promise.all(opening)
}

/** Ends when the channel is open: a long replay goes on beside the client's next operations. */
async function subscribeOne(connection: Connection, op: Op<'subscribe'>, requested: string): Promise<void> {
  const { hub, subscriptions } = connection
  const { channel, source, key } = await resolveChannel(hub, requested)
  await source.authorize(connection.caller, key)
  if (connection.closed) return
  // subscribing again starts anew: that is how a client resumes after it saw a hole
  connection.unsubscribe(channel)
  const limit = hub.limits.subscriptionsPerConnection
  if (subscriptions.size >= limit)
    throw new AssayError('rate_limited', `A connection holds at most ${limit} subscriptions.`)

  const subscription = new Subscription(connection, channel, source, key)
  subscriptions.set(channel, subscription)
  const from = typeof op.from === 'object' ? (op.from[requested] ?? op.from[channel]) : op.from
  await new Promise<void>((opened) => {
    const onOpen = (seq: number) => {
      connection.send({ type: 'ack', id: op.id, channel, seq, data: { op: op.op, requested } })
      opened()
    }
    follow(subscription, from, onOpen)
      .catch((error) => {
        if (subscription.ended) return
        connection.unsubscribe(channel)
        sendError(connection, error, { id: op.id, channel })
      })
      .finally(opened)
  })
}
async function follow(
  subscription: Subscription,
  from: number | undefined,
  onOpen: (seq: number) => void,
): Promise<void> {
  joinFeed(subscription.connection.hub, subscription)
  await catchUp(subscription, { from, onOpen })
}
