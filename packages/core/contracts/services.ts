/** Every service of this release: its port when it runs alone, and the variable that moves it. Order is start order. */
export interface ServiceEntry {
  name: string
  port: number
  portVariable: string
  /** where other services reach it by mutual TLS; absent: at `port`. The gateway's `port` is the public one. */
  peerPort?: number
  /** names of its WebSocket channels: the websocket service finds them here when it is alone */
  channels?: readonly string[]
  /** whom the access tokens that it takes are for; absent: the platform's API */
  audiences?: readonly string[]
  purpose: string
}
export const SERVICES: readonly ServiceEntry[] = [
  {
    name: 'gateway',
    port: 8000,
    peerPort: 8050,
    portVariable: 'API_GATEWAY_PORT',
    purpose: 'identity, tokens, API keys, limits',
  },
  {
    name: 'market-data',
    port: 8001,
    portVariable: 'DATA_BRIDGE_PORT',
    channels: ['ticks', 'candles'],
    purpose: 'feeds, market log, candles',
  },
  {
    name: 'trading',
    port: 8003,
    portVariable: 'PORT',
    channels: ['assessment'],
    purpose: 'tiers, purchases, assessments, orders, the engine',
  },
  { name: 'websocket', port: 8005, portVariable: 'PORT', purpose: 'live push' },
]
export const serviceEntry = (name: string): ServiceEntry | undefined => SERVICES.find((entry) => entry.name === name)
/** The audience of the platform's API: what a login gives is for it. */
export const API_AUDIENCE = 'assay-api'
export const audiencesOf = (service: string): readonly string[] => serviceEntry(service)?.audiences ?? [API_AUDIENCE]

/** The first port of the table; ASSAY_BASE_PORT moves all of them. */
export const BASE_PORT = 8000
/** Replica k of a service listens on its port + 100 k. */
export const REPLICA_STEP = 100
/** Where peers reach replica k of a service. */
export const peerPort = ({ port, peerPort }: ServiceEntry, replica: number, base: number): number =>
  (peerPort ?? port) - BASE_PORT + base + replica * REPLICA_STEP
