import { eventOf } from './outgoing.ts'
import type { Subscription } from './subscription.ts'

export interface CatchUpOptions {
  /** the last seq the client has; absent: it wants a snapshot */
  from: number | undefined
  /** called once, before the first message, with the seq the client starts from */
  onOpen: (seq: number) => void
}

/**
 * Brings a subscription that already holds its feed to the present: a snapshot at S, or the events after `from`; then
 * what was held, from S on. A long replay goes out at the client's pace; where the held events did not fit meanwhile,
 * the source is read again from where the client stands, so the end is always a step without a hole.
 */
export async function catchUp(subscription: Subscription, { from, onOpen }: CatchUpOptions): Promise<void> {
  if (from === undefined) await sendSnapshot(subscription, onOpen)
  else await replay(subscription, from, onOpen)
  while (subscription.overflowed && !subscription.ended) {
    subscription.holdAnew()
    await replay(subscription, subscription.seq)
  }
  if (!subscription.ended) subscription.release()
}

async function sendSnapshot(
  subscription: Subscription,
  onOpen?: (seq: number) => void,
  lostFrom?: number,
): Promise<void> {
  const { connection, channel, source, key } = subscription
  const { seq, data } = await source.snapshot(connection.caller, key)
  if (subscription.ended) return
  onOpen?.(seq)
  if (lostFrom !== undefined) connection.send({ type: 'gap', channel, seq, data: { from: lostFrom, to: seq } })
  connection.send({ type: 'snapshot', channel, seq, data })
  subscription.moveTo(seq)
}
async function replay(subscription: Subscription, after: number, onOpen?: (seq: number) => void): Promise<void> {
  const { connection, channel, source, key } = subscription
  const { clock, limits } = connection.hub
  const events = await source.since(key, after)
  if (subscription.ended) return
  if (events === null) return sendSnapshot(subscription, onOpen, after)
  onOpen?.(after)
  subscription.moveTo(after)
  for (let start = 0; start < events.length && !subscription.ended; start += limits.replayPage) {
    for (const event of events.slice(start, start + limits.replayPage))
      subscription.send(eventOf(channel, event, clock.monotonic()))
    await connection.settled()
  }
}
