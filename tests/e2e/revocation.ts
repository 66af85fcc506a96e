import { join } from 'node:path'
import { openLocalCa } from '@assay/core/kernel/local-ca'
import { createHttpsPeers } from '@assay/core/kernel/peers-https'
import { createServiceTokens } from '@assay/core/kernel/service-token'
import { systemClock } from '@assay/core/ports/clock/system'
import type { ProcessRecord } from '../../scripts/supervise/processes.ts'

/** What each service answers only to somebody: as the gateway sends it there, from an address that is not near. */
const ROUTES: Readonly<Record<string, [method: string, path: string]>> = {
  gateway: ['GET', '/api/auth/check'],
  'market-data': ['GET', '/metrics'],
  trading: ['GET', '/api/purchases'],
  websocket: ['POST', '/api/ws/ticket'],
}
const FROM = '203.0.113.7'
const PAUSE_MS = 25
const GIVE_UP_MS = 20_000

/** A place where credentials are shown. */
export interface Door {
  name: string
  /** the status of its answer; 0: none came */
  ask(credential: string): Promise<number>
}
export interface Doors {
  all: readonly Door[]
  /** a process's own metrics, past the gateway */
  metrics(instance: string, credential: string): Promise<string>
}

/** Every process on its own port by mutual TLS, as the gateway comes; and what stands behind the public port. */
export async function openDoors(home: string, url: string, processes: readonly ProcessRecord[]): Promise<Doors> {
  const ca = await openLocalCa(join(home, 'certificates'))
  const credentials = await ca.issue('gateway', 3_600_000)
  const tokens = createServiceTokens('gateway', credentials, systemClock)
  const peers = createHttpsPeers({ instance: 'e2e', url: '', replicas: () => [], credentials, tokens })
  const show = (credential: string) => ({ authorization: `Bearer ${credential}`, 'x-forwarded-for': FROM })
  const statusOf = (asked: Promise<Response>) =>
    asked.then(
      async (answer) => {
        await answer.arrayBuffer()
        return answer.status
      },
      () => 0,
    )
  const own = processes.map(({ instance, service, url: base }): Door => {
    const [method, path] = ROUTES[service]!
    return {
      name: instance,
      ask: (credential) => statusOf(peers.fetch(service, base, path, { method, headers: show(credential) })),
    }
  })
  const behind = ['gateway', 'trading', 'websocket'].map((service): Door => {
    const [method, path] = ROUTES[service]!
    const signal = () => AbortSignal.timeout(GIVE_UP_MS)
    const headers = (credential: string) => ({ authorization: `Bearer ${credential}` })
    return {
      name: `public, ${service}`,
      ask: (credential) => statusOf(fetch(url + path, { method, headers: headers(credential), signal: signal() })),
    }
  })
  return {
    all: [...own, ...behind],
    async metrics(instance, credential) {
      const { service, url: base } = processes.find((one) => one.instance === instance)!
      return (await peers.fetch(service, base, '/metrics', { headers: show(credential) })).text()
    },
  }
}

export const isTaken = (status: number): boolean => status >= 200 && status < 300

/** Every door has seen them and remembers them. */
export async function showTwice(doors: readonly Door[], credentials: readonly string[]): Promise<number[]> {
  const statuses: number[] = []
  for (let time = 0; time < 2; time++)
    for (const { ask } of doors) statuses.push(...(await Promise.all(credentials.map(ask))))
  return statuses
}

export interface Refused {
  door: string
  /** the last request that was taken was sent so long after the begin, ms; 0: none was */
  takenMs: number
  /** the first answer of the status waited for, ms after it */
  refusedMs: number
}
/** Shows the credential at every door, on and on, until each has answered with that status; then once more. */
export function refusals(doors: readonly Door[], credential: string, refusal = 401): Promise<Refused[]> {
  const from = performance.now()
  return Promise.all(
    doors.map(async ({ name, ask }) => {
      let takenMs = 0
      for (;;) {
        const sentMs = performance.now() - from
        const status = await ask(credential)
        if (isTaken(status)) takenMs = sentMs
        if (status === refusal) {
          const refusedMs = performance.now() - from
          if (isTaken(await ask(credential))) throw new Error(`${name} refuses it and then takes it`)
          return { door: name, takenMs: Math.round(takenMs), refusedMs: Math.round(refusedMs) }
        }
        if (sentMs > GIVE_UP_MS) throw new Error(`${name} answers ${status} after ${GIVE_UP_MS} ms`)
        await Bun.sleep(PAUSE_MS)
      }
    }),
  )
}
/** For people: who took it for how long. */
export function tell(what: string, refused: readonly Refused[]): void {
  const line = ({ door, takenMs, refusedMs }: Refused) => `  ${door.padEnd(18)} ${takenMs} ms  ${refusedMs} ms`
  console.log([`${what}: last taken, first refused`, ...refused.map(line)].join('\n'))
}
