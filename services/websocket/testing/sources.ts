import { AssayError } from '@assay/core/contracts/errors'
import type { ChannelEvent, ChannelSource } from '@assay/core/kernel/channel'
import type { Ctx } from '@assay/core/kernel/context'

/** A channel that a test publishes into. Reads take a turn of the loop, as a database does, so events arrive meanwhile. */
export interface TestSource extends ChannelSource {
  publish(key: string, event: Omit<ChannelEvent, 'seq' | 'ts' | 'kind'> & Partial<ChannelEvent>): ChannelEvent
  listeners(key: string): number
}
export interface TestSourceOptions {
  name: string
  /** how many events it still has; Infinity: a journal */
  holds: number
  /** who may read a key; absent: everybody */
  owner?: (key: string) => string
}

export function testSource({ name, holds, owner }: TestSourceOptions): TestSource {
  const logs = new Map<string, ChannelEvent[]>()
  const pushes = new Map<string, Set<(event: ChannelEvent) => void>>()
  const logOf = (key: string) => logs.get(key) ?? logs.set(key, []).get(key)!
  const pushesOf = (key: string) => pushes.get(key) ?? pushes.set(key, new Set()).get(key)!
  const lastSeq = (key: string) => logOf(key).at(-1)?.seq ?? 0
  return {
    name,
    parse: (key) => (/^[a-z0-9/-]{1,32}$/i.test(key) ? key.toUpperCase() : null),
    async authorize(ctx: Ctx, key: string) {
      if (owner && owner(key) !== ctx.actor?.userId) throw new AssayError('forbidden', `${name}:${key} is not yours.`)
    },
    async snapshot(_, key) {
      await turn()
      const seq = lastSeq(key)
      await turn()
      return { seq, data: { last: seq } }
    },
    async since(key, after) {
      await turn()
      const log = logOf(key)
      const oldest = log[0]?.seq ?? 1
      const events = after + 1 < oldest ? null : log.filter((event) => event.seq > after)
      await turn()
      return events
    },
    listen(key, push) {
      pushesOf(key).add(push)
      return () => pushesOf(key).delete(push)
    },
    publish(key, given) {
      const event: ChannelEvent = { seq: lastSeq(key) + 1, ts: Date.now(), kind: 'event', ...given }
      const log = logOf(key)
      if (event.kind === 'event') log.push(event)
      if (log.length > holds) log.shift()
      for (const push of pushesOf(key)) push(event)
      return event
    },
    listeners: (key) => pushesOf(key).size,
  }
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
