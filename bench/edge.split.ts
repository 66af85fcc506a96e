/**
 * CPU of a gateway's own process per request that it hands on, µs: ours with all its duties (token, client's limits,
 * usage, request id, trace, metrics, deadline, breaker, the queues of audit and key use), nginx with none. The same
 * upstream behind both, kept alive, mutual TLS 1.3 to it on both sides; clients come in plain on both; neither writes a
 * line per request. What the process uses without any request (health checks, heartbeats, its database) is a figure of
 * its own and taken off by the time that the requests took. Scopes are checked by the service behind, which is no part of the hop.
 * Beside them what Bun costs with no duty at all, over kept TLS sockets and by its `fetch`: the floor of any gateway on it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { type CredentialFiles, makeLocalCa, writeCredentials } from '@assay/core/kernel/local-ca'
import { ROOT } from '../scripts/root.ts'
import { freePorts, freePortTable } from '../scripts/stack/ports.ts'
import { startNginx } from '../scripts/stack/servers/nginx.ts'
import { type Load, openRequests } from './edge/requests.ts'
import { type Figure, figureOf, median } from './figure.ts'
import { processCpu } from './measure/process-cpu.ts'

export const summary = 'CPU of the gateway alone per request, beside nginx'

export interface SplitOptions {
  rounds?: number
  requests?: number
  /** before the rounds: until then the compiler works beside, which is no cost of a request */
  warm?: number
  /** clients that have a request under way all the time */
  connections?: number
}
interface Side {
  name: string
  pids: readonly number[]
  load: Load
  perRequest: number[]
  /** µs of CPU per ms, without requests */
  idle: number
}
const IDLE_MS = 3_000
const HOUR_MS = 3_600_000
const START_MS = 60_000
const EMAIL = 'split@bench.example'
const PASSWORD = 'a long password of the bench'

export async function run(options: SplitOptions = {}): Promise<Figure[]> {
  const { rounds = 7, requests = 20_000, warm = 100_000, connections = 32 } = options
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-split-'))
  const ca = await makeLocalCa()
  const issue = async (name: string) => writeCredentials(join(folder, name), name, await ca.issue(name, HOUR_MS))
  const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  try {
    const base = await freePortTable()
    const own = await issue('trading')
    const upstream = child([`${ROOT}bench/edge/upstream.ts`, ...filesOf(own), ...[1, 3, 5].map((n) => `${base + n}`)])
    closing.unshift(() => upstream.process.kill())
    await upstream.told
    const sides = [await ours(folder, base, await issue('gateway'), connections, closing)]
    sides.push(await nginx(folder, base + 3, await issue('nginx'), connections, closing))
    for (const how of ['sockets', 'fetch'])
      sides.push(await bareHop(how, base + 3, await issue(how), connections, closing))
    for (const side of sides) {
      await send(side, warm)
      side.idle = await idleOf(side)
    }
    for (let round = 0; round < rounds; round++) {
      for (const side of round % 2 ? sides : sides.toReversed()) side.perRequest.push(await cpuOf(side, requests))
    }
    const [mine, peer, ...floors] = sides as [Side, Side, Side, Side]
    return [
      figureOf({
        figure: 'edge.split_cpu',
        unit: 'µs/request',
        better: 'lower',
        ours: median(mine.perRequest),
        samples: rounds,
        peer: { name: peer.name, value: median(peer.perRequest) },
      }),
      figureOf({ figure: 'edge.split_idle', unit: 'µs/ms', better: 'lower', ours: mine.idle, samples: 1 }),
      ...floors.map(({ name, perRequest }) =>
        figureOf({
          figure: `edge.split_floor_${name}`,
          unit: 'µs/request',
          better: 'lower',
          ours: median(perRequest),
          samples: rounds,
          peer: { name: 'nginx, as above', value: median(peer.perRequest) },
        }),
      ),
    ]
  } finally {
    for (const close of closing) await close()
  }
}

const spentBy = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + processCpu(pid), 0)

async function idleOf({ pids }: Side): Promise<number> {
  const before = spentBy(pids)
  await Bun.sleep(IDLE_MS)
  return (spentBy(pids) - before) / IDLE_MS
}
async function cpuOf(side: Side, count: number): Promise<number> {
  const { pids, idle } = side
  const [before, began] = [spentBy(pids), performance.now()]
  await send(side, count)
  return (spentBy(pids) - before - idle * (performance.now() - began)) / count
}
/** On new connections: a server closes those that wait while it is the others' turn. */
async function send({ load }: Side, count: number): Promise<void> {
  const requests = await openRequests(load)
  await requests.send(count)
  requests.close()
}

type Closing = (() => unknown)[]
const requestOf = (port: number, more = '') => `GET /api/tiers HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${more}\r\n`

/** The real gateway alone; its three peers are the upstream. */
async function ours(
  folder: string,
  base: number,
  tls: CredentialFiles,
  connections: number,
  closing: Closing,
): Promise<Side> {
  const gateway = child([`${ROOT}services/gateway/main.ts`], {
    ...tls,
    ASSAY_HOME: join(folder, 'home'),
    ASSAY_PEERS: 'https://127.0.0.1:{port}',
    ASSAY_BASE_PORT: String(base),
    LOG_LEVEL: 'warn',
    RATE_LIMIT_PER_MINUTE: '100000000',
  })
  closing.unshift(() => {
    gateway.process.kill()
    return gateway.process.exited
  })
  await gateway.told
  const post = async (path: string) => {
    const body = JSON.stringify({ email: EMAIL, password: PASSWORD })
    const headers = { 'content-type': 'application/json' }
    return (await fetch(`http://127.0.0.1:${base}${path}`, { method: 'POST', headers, body })).json()
  }
  await post('/api/auth/register')
  const { token } = (await post('/api/auth/login')) as { token: string }
  const request = requestOf(base, `Authorization: Bearer ${token}\r\n`)
  const load = { port: base, connections, request }
  return { name: 'assay gateway', pids: [gateway.process.pid], load, perRequest: [], idle: 0 }
}

async function nginx(
  folder: string,
  upstream: number,
  tls: CredentialFiles,
  connections: number,
  closing: Closing,
): Promise<Side> {
  const [port] = (await freePorts(1)) as [number]
  const configuration = `worker_processes 1;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 100000000;
  upstream api { server 127.0.0.1:${upstream}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass https://api;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_ssl_certificate ${tls.TLS_CERT_FILE};
      proxy_ssl_certificate_key ${tls.TLS_KEY_FILE};
      proxy_ssl_trusted_certificate ${tls.TLS_CA_FILE};
      proxy_ssl_verify on;
      proxy_ssl_name trading.assay.internal;
      proxy_ssl_server_name on;
      proxy_ssl_protocols TLSv1.3;
    }
  }
}`
  const server = await startNginx({ folder: join(folder, 'nginx'), configuration, port })
  closing.unshift(() => server.stop())
  const load = { port, connections, request: requestOf(port) }
  const name = `nginx ${server.version} (one worker, 64 kept connections, mutual TLS 1.3 to the upstream as ours)`
  return { name, pids: server.workers(), load, perRequest: [], idle: 0 }
}

/** Bun with nothing to do but to pass on. */
async function bareHop(
  name: string,
  upstream: number,
  tls: CredentialFiles,
  connections: number,
  closing: Closing,
): Promise<Side> {
  const hop = child([`${ROOT}bench/edge/bare-hop.ts`, name, ...filesOf(tls), String(upstream)])
  closing.unshift(() => hop.process.kill())
  const port = Number(await hop.told)
  const load = { port, connections, request: requestOf(port) }
  return { name, pids: [hop.process.pid], load, perRequest: [], idle: 0 }
}

function child(command: string[], env: Record<string, string> = {}) {
  const told = Promise.withResolvers<unknown>()
  const process_ = Bun.spawn([process.execPath, ...command], {
    env: { ...environment(), ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
    ipc: told.resolve,
    onExit: (_, code) => told.reject(new Error(`${command[0]} ended with ${code}`)),
  })
  const late = setTimeout(() => told.reject(new Error(`${command[0]} did not start`)), START_MS)
  told.promise.then(
    () => clearTimeout(late),
    () => process_.kill(),
  )
  return { process: process_, told: told.promise }
}
const filesOf = (tls: CredentialFiles): string[] => [tls.TLS_CA_FILE, tls.TLS_CERT_FILE, tls.TLS_KEY_FILE]
