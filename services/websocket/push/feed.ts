import type { ChannelEvent } from '@assay/core/kernel/channel'
import { catchUp } from './catch-up.ts'
import type { Hub } from './hub.ts'
import { eventOf } from './outgoing.ts'
import { sendError } from './receive.ts'
import type { Subscription } from './subscription.ts'

/** One listener on a channel for all its subscribers in this process. */
export interface Feed {
  subscribers: Set<Subscription>
  stop: () => void
}

/** From here on the subscription holds or gets every event that the source pushes. */
export function joinFeed(hub: Hub, subscription: Subscription): void {
  const { channel, source, key } = subscription
  const feed = hub.feeds.get(channel)
  if (feed) {
    feed.subscribers.add(subscription)
    return
  }
  const subscribers = new Set([subscription])
  const push = (event: ChannelEvent) => spread(hub, channel, subscribers, event)
  const lost = () => {
    for (const one of subscribers) if (one.lose()) void resume(one)
  }
  hub.feeds.set(channel, { subscribers, stop: source.listen(key, push, lost) })
}
/** The last one to leave ends the listening. */
export function leaveFeed(hub: Hub, subscription: Subscription): void {
  const feed = hub.feeds.get(subscription.channel)
  if (!feed?.subscribers.delete(subscription) || feed.subscribers.size > 0) return
  hub.feeds.delete(subscription.channel)
  feed.stop()
}

/** What the source lost on its way here is read again, from where this client stands. */
async function resume(subscription: Subscription): Promise<void> {
  const { connection, channel } = subscription
  try {
    await catchUp(subscription, { from: subscription.seq, onOpen: () => {} })
  } catch (error) {
    if (subscription.ended) return
    connection.unsubscribe(channel)
    sendError(connection, error, { channel })
  }
}

function spread(hub: Hub, channel: string, subscribers: ReadonlySet<Subscription>, event: ChannelEvent): void {
  const outgoing = eventOf(channel, event, hub.clock.monotonic())
  hub.flusher.watch(outgoing)
  for (const subscription of subscribers) subscription.accept(outgoing)
}
