import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { peerPort, SERVICES, serviceEntry } from '../contracts/services.ts'
import type { Clock } from '../ports/clock/port.ts'
import { callReplicas } from './call-replicas.ts'
import { ConfigError, type PlatformConfig } from './config.ts'
import type { Peers } from './peers.ts'
import { createHttpsPeers } from './peers-https.ts'
import { markInternal } from './request.ts'
import type { Deps } from './service.ts'
import { createServiceTokens, type PeerCredentials, SERVICE_TOKEN } from './service-token.ts'

/** The other processes of the platform, as one of them sees them. */
export interface Network {
  /** the service that this process is */
  self: string
  peers: Peers
  /** the same object at all times: `renew` changes what it holds */
  readonly credentials: PeerCredentials
  /** from now on shown to peers, and their CA: by new connections and service tokens; who listens begins anew for it */
  renew(credentials: PeerCredentials): void
  /** where this process listens for peers */
  port: number
  /** a call to any replica of a service, see `Deps.call` */
  call: Deps['call']
  /** the Assay service that sent this request over mutual TLS, whose word on its user is noted on it; null: it does not say, or is none */
  callerOf(request: Request): Promise<string | null>
  /** ends its connections to the others */
  close(): void
}

/** From ASSAY_PEERS and the port table; undefined where everything runs in one process. */
export function openNetwork(services: readonly string[], settings: PlatformConfig, clock: Clock): Network | undefined {
  const { ASSAY_PEERS: template, ASSAY_REPLICAS: counts, ASSAY_BASE_PORT: base } = settings
  if (!template) return undefined
  if (services.length !== 1) {
    throw new ConfigError([
      { variable: 'ASSAY_PEERS', reason: 'is for one service in a process: start with --only=NAME' },
    ])
  }
  const self = services[0]!
  const entry = serviceEntry(self)
  if (!entry) throw new Error(`${self} is not in the port table`)
  const urlOf = (service: string, replica: number, port: number) =>
    template
      .replaceAll('{service}', service)
      .replaceAll('{replica}', String(replica))
      .replaceAll('{port}', String(port))
  const table = new Map(
    SERVICES.map((other) => [
      other.name,
      Array.from({ length: counts[other.name] ?? 1 }, (_, k) => urlOf(other.name, k, peerPort(other, k, base))),
    ]),
  )
  const own = entry.peerPort === undefined ? settings.PORT : undefined
  const url = settings.ASSAY_PEER_URL ?? urlOf(self, 0, own ?? peerPort(entry, 0, base))
  const credentials = readCredentials(settings)
  const tokens = createServiceTokens(self, credentials, clock)
  const peers = createHttpsPeers({
    instance: settings.ASSAY_INSTANCE ?? `${self}-${hostname()}`,
    url,
    replicas: (service) => table.get(service) ?? [],
    credentials,
    tokens,
  })
  return {
    self,
    peers,
    credentials,
    renew: (next) => void Object.assign(credentials, next),
    port: own ?? portOf(url),
    call: callReplicas({ peers, clock }),
    async callerOf(request) {
      const token = request.headers.get(SERVICE_TOKEN)
      const caller = token ? await tokens.verify(token) : null
      if (caller?.act) markInternal(request, caller.act)
      return caller?.service ?? null
    },
    close: () => peers.close(),
  }
}

const portOf = (url: string): number => Number(new URL(url).port || 443)

export function readCredentials(settings: PlatformConfig): PeerCredentials {
  const read = (variable: 'TLS_CA_FILE' | 'TLS_CERT_FILE' | 'TLS_KEY_FILE') => {
    try {
      return readFileSync(settings[variable]!, 'utf8')
    } catch (cause) {
      throw new ConfigError([{ variable, reason: `cannot be read: ${(cause as Error).message}` }])
    }
  }
  return { ca: read('TLS_CA_FILE'), cert: read('TLS_CERT_FILE'), key: read('TLS_KEY_FILE') }
}
