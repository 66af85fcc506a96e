import { BASE_PORT, peerPort, SERVICES } from '@assay/core/contracts/services'
import type { Environment } from '@assay/core/kernel/config'

export interface PlanOptions {
  /** of the data folder, shared by all processes */
  home: string
  env: Environment
  /** processes by service; those not named have one */
  replicas: Readonly<Record<string, number>>
  /** of the gateway; the others follow by the port table */
  basePort: number
}
/** One process of the platform. */
export interface Planned {
  service: string
  /** `trading-1`: also the name of its log and its certificate files */
  instance: string
  /** where its peers reach it */
  url: string
  env: Record<string, string>
}
export const DEFAULT_REPLICAS = 'trading=3,market-data=2,websocket=2'
/** Stops in this order: first who answers clients, last what the others read from. Starts the other way round. */
const READ_FROM = ['trading', 'market-data']
export const STOP_ORDER: readonly (readonly string[])[] = [
  SERVICES.map(({ name }) => name).filter((name) => !READ_FROM.includes(name)),
  ...READ_FROM.map((name) => [name]),
]

/** Every service and replica with its own name, port and variables. */
export function planProcesses({ home, env, replicas, basePort }: PlanOptions): Planned[] {
  const counts = SERVICES.map(({ name }) => `${name}=${replicas[name] ?? 1}`).join(',')
  return SERVICES.flatMap((entry) =>
    Array.from({ length: replicas[entry.name] ?? 1 }, (_, k) => {
      const instance = `${entry.name}-${k}`
      const url = `https://127.0.0.1:${peerPort(entry, k, basePort)}`
      return {
        service: entry.name,
        instance,
        url,
        env: {
          ...inherited(env),
          ASSAY_HOME: home,
          ASSAY_PEERS: 'https://127.0.0.1:{port}',
          ASSAY_BASE_PORT: String(basePort),
          ASSAY_REPLICAS: counts,
          ASSAY_INSTANCE: instance,
          ASSAY_PEER_URL: url,
          ...(entry.peerPort !== undefined && { PORT: String(entry.port - BASE_PORT + basePort + 100 * k) }),
        },
      }
    }),
  )
}

/** The port variables of one process are not those of its parts. */
function inherited(env: Environment): Record<string, string> {
  // an administrator's token is not for services: each has a login of its own
  const { PORT, API_GATEWAY_PORT, DATA_BRIDGE_PORT, VAULT_TOKEN, ...rest } = env
  return Object.fromEntries(Object.entries(rest).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
