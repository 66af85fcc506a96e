/**
 * `edge.login-storm`: 1,000 people log in at the same moment, each from an address of its own, all with the right
 * password. Meanwhile somebody else reads on other routes, at a fixed pace, each request timed from when it was due. The
 * platform is one process on its embedded database, the clients another one on the same machine.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { ROOT } from '../scripts/root.ts'
import { sendAlone } from './edge/storm-client.ts'
import { type Figure, figureOf } from './figure.ts'
import { Latencies } from './measure/latencies.ts'

export const summary = 'other routes while 1,000 people log in at once'

export interface StormOptions {
  people?: number
  /** between two reads on other routes */
  everyMs?: number
}
const PASSWORD = 'a long password of the bench'
const START_MS = 120_000
const QUIET_MS = 4_000
/** Whoever is refused for now comes again, as browsers do. */
const AGAIN_MS = 1_000
const ROUTES = ['/api/auth/check', '/api/tiers', '/api/market/symbols', '/api/assessments']
const addressOf = (n: number) => `10.${20 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
const emailOf = (n: number) => `storm${n}@bench.example`

export async function run({ people = 1_000, everyMs = 10 }: StormOptions = {}): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-storm-'))
  const platform = await startPlatform(folder)
  try {
    await register(platform.port, people)
    const token = await logIn(platform.port)
    const quiet = await readWhile(platform.port, token, everyMs, Bun.sleep(QUIET_MS))
    platform.process.send('measure')
    const began = performance.now()
    let refused = 0
    const storm = Promise.all(
      Array.from({ length: people }, async (_, n) => {
        for (;;) {
          const status = await post(platform.port, '/api/auth/login', n)
          if (status === 200) return
          if (status !== 503) throw new Error(`login ${n}: ${status}`)
          refused++
          await Bun.sleep(AGAIN_MS)
        }
      }),
    )
    const during = await readWhile(platform.port, token, everyMs, storm)
    const seconds = (performance.now() - began) / 1_000
    const lagMs = await platform.lag()
    const figure = (name: string, unit: string, ours: number, samples: number): Figure =>
      figureOf({ figure: `edge.login_storm_${name}`, unit, better: 'lower', ours, samples })
    return [
      figure('other_routes_p99', 'ms', during.at(0.99), during.count),
      figure('other_routes_p50', 'ms', during.at(0.5), during.count),
      figure('quiet_p99', 'ms', quiet.at(0.99), quiet.count),
      figure('loop_lag_p99', 'ms', lagMs, 1),
      figure('all_logged_in', 's', seconds, people),
      figure('refused_for_now', 'logins', refused, people),
    ]
  } finally {
    platform.process.kill()
    await platform.process.exited
    rmSync(folder, { recursive: true, force: true })
  }
}

async function startPlatform(folder: string) {
  let told: (message: { port?: number; lagMs?: number }) => void = () => {}
  const next = () =>
    new Promise<{ port?: number; lagMs?: number }>((resolve, reject) => {
      told = resolve
      setTimeout(() => reject(new Error('the platform says nothing')), START_MS).unref()
    })
  const first = next()
  const child = Bun.spawn([process.execPath, `${ROOT}bench/edge/storm-platform.ts`], {
    env: {
      ...environment(),
      ASSAY_HOME: folder,
      LOG_LEVEL: 'silent',
      TRUSTED_PROXIES: '127.0.0.1/32',
      RATE_LIMIT_PER_MINUTE: '1000000',
      RATE_LIMIT_PER_HOUR: '1000000',
      RATE_LIMIT_PER_DAY: '1000000',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
    ipc: (message) => told(message),
  })
  const { port = 0 } = await first
  return {
    process: child,
    port,
    async lag() {
      const answer = next()
      child.send('tell')
      return (await answer).lagMs ?? 0
    },
  }
}

const post = (port: number, path: string, n: number): Promise<number> =>
  sendAlone({ port, path, address: addressOf(n), body: { email: emailOf(n), password: PASSWORD } })

/** A few at a time: what is measured is not this. One more than there are people: who reads. */
async function register(port: number, people: number): Promise<void> {
  let n = 0
  const worker = async () => {
    for (let at = n++; at <= people; at = n++) {
      const status = await post(port, '/api/auth/register', at)
      if (status !== 201) throw new Error(`register ${at}: ${status}`)
      if (at === people) reader = emailOf(at)
    }
  }
  await Promise.all(Array.from({ length: 4 }, worker))
}
let reader = ''

async function logIn(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: reader, password: PASSWORD }),
  })
  return ((await answer.json()) as { token: string }).token
}

/** Reads on other routes until `over` is; how long each took from the moment it was due. */
async function readWhile(port: number, token: string, everyMs: number, over: Promise<unknown>): Promise<Latencies> {
  const times = new Latencies()
  const asking = new Set<Promise<void>>()
  let ended = false
  void over.then(
    () => {
      ended = true
    },
    () => {
      ended = true
    },
  )
  const began = performance.now()
  for (let n = 0; !ended; n++) {
    const due = began + n * everyMs
    await Bun.sleep(Math.max(0, due - performance.now()))
    const one = read(port, token, ROUTES[n % ROUTES.length]!).then(() => times.add(performance.now() - due))
    asking.add(one)
    void one.finally(() => asking.delete(one))
  }
  await Promise.all(asking)
  await over
  return times
}

async function read(port: number, token: string, path: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token}` } })
  await answer.arrayBuffer()
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`)
}
