import type { ServerMessage } from '@assay/services/websocket/push/protocol'
import { connect, type TestClient } from '@assay/services/websocket/testing/client'

export const socketUrl = (url: string): string => `${url.replace('http', 'ws')}/ws`
export const connectAs = (url: string, credential: string): Promise<TestClient> =>
  connect(socketUrl(url), { protocols: ['bearer', credential] })

/** What a client keeps of one channel, over any number of connections: it drops nothing and repeats nothing by itself. */
export interface Followed {
  snapshots: ServerMessage[]
  events: ServerMessage[]
  marks: ServerMessage[]
  gaps: ServerMessage[]
  /** the seq to resume from */
  last(): number
  /** subscribes on this connection, from the last seq once there is one */
  on(client: TestClient): Promise<void>
}
export function follow(channel: string): Followed {
  const kept: Omit<Followed, 'last' | 'on'> = { snapshots: [], events: [], marks: [], gaps: [] }
  const last = () => kept.events.at(-1)?.seq ?? kept.snapshots.at(-1)?.seq ?? 0
  const keep = (message: ServerMessage) => {
    if (message.channel !== channel) return
    if (message.type === 'snapshot') kept.snapshots.push(message)
    else if (message.type === 'gap') kept.gaps.push(message)
    else if (message.type === 'event') (message.kind === 'mark' ? kept.marks : kept.events).push(message)
  }
  return {
    ...kept,
    last,
    async on(client) {
      let read = client.messages.length
      const from = kept.snapshots.length > 0 ? { from: last() } : {}
      client.socket.addEventListener('message', () => {
        for (; read < client.messages.length; read++) keep(client.messages[read]!)
      })
      client.send({ op: 'subscribe', id: channel, channels: [channel], ...from })
      await client.next(({ type, id }) => (type === 'ack' || type === 'error') && id === channel)
    },
  }
}
