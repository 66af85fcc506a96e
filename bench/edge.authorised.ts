/**
 * CPU per fully authorised request, µs. Ours: one process, the real gateway and a small service behind the real edge;
 * token, scope, client's limit, plan, tenant's addresses, request id, metrics, usage and audit queues, answer checked
 * against its schema. Peer: nginx, which proxies with no duty, and a bare Bun server behind it, kept alive on both sides,
 * CPU of both processes. No TLS on either side. Once without a line per request on either side, once with one on both.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { ROOT } from '../scripts/root.ts'
import { freePorts } from '../scripts/stack/ports.ts'
import { startNginx } from '../scripts/stack/servers/nginx.ts'
import { openRequests, type Requests } from './edge/requests.ts'
import { type Figure, figureOf, median } from './figure.ts'
import { processCpu } from './measure/process-cpu.ts'

export const summary = 'CPU per fully authorised request in one process, beside nginx and a bare Bun server'

export interface AuthorisedOptions {
  rounds?: number
  requests?: number
  connections?: number
}
interface Side {
  pids: readonly number[]
  requests: Requests
  perRequest: number[]
}
type Closing = (() => unknown)[]
const START_MS = 60_000
const OPERATOR = { email: 'operator@assay.example', password: 'the bench operator 1' }
const PATH = '/api/quote'

export async function run(options: AuthorisedOptions = {}): Promise<Figure[]> {
  return [...(await compare(false, options)), ...(await compare(true, options))]
}

async function compare(
  lines: boolean,
  { rounds = 7, requests = 20_000, connections = 32 }: AuthorisedOptions,
): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-authorised-'))
  const closing: Closing = [() => rmSync(folder, { recursive: true, force: true })]
  try {
    const ours = await startOurs(folder, { lines, connections }, closing)
    const { version, ...peer } = await startPeer(folder, { lines, connections }, closing)
    for (let round = -5; round < rounds; round++) {
      for (const side of round % 2 ? [ours, peer] : [peer, ours]) {
        const spent = await cpuOf(side, requests)
        if (round >= 0) side.perRequest.push(spent)
      }
    }
    return [
      figureOf({
        figure: lines ? 'edge.authorised_cpu_logged' : 'edge.authorised_cpu',
        unit: 'µs/request',
        better: 'lower',
        ours: median(ours.perRequest),
        samples: rounds,
        peer: {
          name: `nginx ${version} (one worker, 64 kept connections, no TLS${lines ? ', access log' : ''}) + bare Bun ${Bun.version}`,
          value: median(peer.perRequest),
        },
      }),
    ]
  } finally {
    for (const close of closing.toReversed()) await close()
  }
}

async function cpuOf({ pids, requests }: Side, count: number): Promise<number> {
  const spent = () => pids.reduce((sum, pid) => sum + processCpu(pid), 0)
  const before = spent()
  await requests.send(count)
  return (spent() - before) / count
}

const requestOf = (port: number, more = ''): string => `GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${more}\r\n`
interface How {
  lines: boolean
  connections: number
}

async function startOurs(folder: string, { lines, connections }: How, closing: Closing): Promise<Side> {
  const platform = child(
    'platform.ts',
    {
      ASSAY_HOME: join(folder, 'home'),
      ASSAY_OPERATOR_EMAIL: OPERATOR.email,
      ASSAY_OPERATOR_PASSWORD: OPERATOR.password,
      LOG_LEVEL: lines ? 'info' : 'warn',
      LOG_FORMAT: 'json',
      RATE_LIMIT_PER_MINUTE: '100000000',
    },
    closing,
  )
  const port = await platform.port
  const answer = await fetch(`http://127.0.0.1:${port}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(OPERATOR),
  })
  const { token } = (await answer.json()) as { token: string }
  const request = requestOf(port, `Authorization: Bearer ${token}\r\n`)
  const requests = await openRequests({ port, connections, request })
  closing.push(() => requests.close())
  return { pids: [platform.pid], requests, perRequest: [] }
}

async function startPeer(folder: string, { lines, connections }: How, closing: Closing) {
  const upstream = child('bare.ts', {}, closing)
  const [port] = (await freePorts(1)) as [number]
  const configuration = `worker_processes 1;
events { worker_connections 1024; }
http {
  access_log ${lines ? join(folder, 'access.log') : 'off'};
  keepalive_requests 100000000;
  upstream bare { server 127.0.0.1:${await upstream.port}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://bare;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}`
  const server = await startNginx({ folder: join(folder, 'nginx'), configuration, port })
  closing.push(() => server.stop())
  const requests = await openRequests({ port, connections, request: requestOf(port) })
  closing.push(() => requests.close())
  const pids = [...server.workers(), upstream.pid]
  const side: Side = { pids, requests, perRequest: [] }
  return { ...side, version: server.version }
}

/** A process of bench/edge, which tells its port. */
function child(file: string, env: Record<string, string>, closing: Closing): { pid: number; port: Promise<number> } {
  const told = Promise.withResolvers<number>()
  const spawned = Bun.spawn([process.execPath, `${ROOT}bench/edge/${file}`], {
    env: { ...environment(), ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
    ipc: (message) => told.resolve(message as number),
    onExit: (_process, code) => told.reject(new Error(`${file} ended with ${code}`)),
  })
  const late = setTimeout(() => told.reject(new Error(`${file} did not start in ${START_MS / 1_000} s`)), START_MS)
  told.promise.then(
    () => clearTimeout(late),
    () => clearTimeout(late),
  )
  closing.push(() => {
    spawned.kill('SIGTERM')
    return spawned.exited
  })
  return { pid: spawned.pid, port: told.promise }
}
