import type { Lifecycle } from '@assay/core/kernel/lifecycle'
import type { Deps, Running, SocketOptions } from '@assay/core/kernel/service'
import { elsewhere } from './elsewhere.ts'
import { STREAM_TIMES } from './pass-on.ts'
import { watchUpstreams } from './upstreams.ts'

/** What a gateway alone adds to its own part: it answers for the services that are elsewhere. */
export type Proxy = Required<Pick<Running, 'elsewhere' | 'health' | 'websocket'>>
/** Bounds of the clients' sockets; the service behind them has its own, tighter ones. */
const SOCKETS: SocketOptions = {
  maxPayloadLength: 64 * 1024,
  backpressureLimit: 4 * 1024 * 1024,
  closeOnBackpressureLimit: true,
  idleTimeout: 120,
}
/** undefined: all services are in this process, no hop is needed. */
export function openProxy(deps: Deps, lifecycle: Lifecycle): Proxy | undefined {
  const { peers, clock, log, metrics } = deps
  if (peers.url === null) return undefined
  const upstreams = watchUpstreams({ peers, clock, log, metrics })
  lifecycle.background('gateway upstreams', (signal) => upstreams.run(signal), { fatal: true })
  // clients of what lasts come back to another gateway; a drain would wait for them in vain
  lifecycle.signal.addEventListener('abort', () => upstreams.forsake(), { once: true })
  return {
    elsewhere: elsewhere({ peers, upstreams, clock, times: STREAM_TIMES }),
    health: () => upstreams.report(),
    websocket: SOCKETS,
  }
}
