import type { ChannelEvent, ChannelSource } from '@assay/core/kernel/channel'
import { startServer } from '@assay/services/websocket/testing/server'
import { type FanOut, SYMBOLS } from './fan-out.ts'

/** The push path of the platform behind a source that only counts: channels, catch-up, conflation and bounds as in production. */
export function ours(): FanOut {
  const pushes = new Map<string, (event: ChannelEvent) => void>()
  let seq = 0
  const ticks: ChannelSource = {
    name: 'ticks',
    parse: (key) => key,
    authorize: async () => {},
    snapshot: async () => ({ seq, data: null }),
    since: async () => null,
    listen(key, push) {
      pushes.set(key, push)
      return () => pushes.delete(key)
    },
  }
  const server = startServer({ sources: [ticks] })
  const channels = Array.from({ length: SYMBOLS }, (_, symbol) => `ticks:S${symbol}/USD`)
  return {
    name: 'assay',
    port: Number(server.host.split(':')[1]),
    path: '/ws',
    protocol: (client) => `bearer, ${server.token(`user${client}`, 3_600_000)}`,
    hello: JSON.stringify({ op: 'subscribe', channels }),
    publish(symbol, at) {
      pushes.get(`S${symbol}/USD`)?.({
        seq: ++seq,
        ts: Math.floor(at),
        kind: 'event',
        conflate: 'quote',
        data: tickData(at),
      })
    },
    skipped: () => server.hub.stats.conflated,
    stop: () => server.stop(),
  }
}
export const tickData = (at: number) => ({ bid: '65000.10', ask: '65000.20', bid_size: '0.5', ask_size: '0.25', at })
