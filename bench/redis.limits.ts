/**
 * `redis.limits`: limiter decisions/s on one Redis, ours beside rate-limiter-flexible, the same clients in the same order,
 * so many in flight. Half of the clients stay under their limit, the others run into it. A count beside it: no client may
 * be granted more than its points and what its window gives back meanwhile.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Limit } from '@assay/core/ports/limits/port'
import { startRedis } from '../scripts/stack/servers/redis.ts'
import { type Figure, figureOf, median } from './figure.ts'
import { watchLag } from './measure/lag.ts'
import { type Limiter, ours, rateLimiterFlexible } from './redis/limiters.ts'

export const summary = 'limiter decisions on Redis beside rate-limiter-flexible'

export interface RedisBenchOptions {
  rounds?: number
  roundMs?: number
  /** decisions in flight */
  inFlight?: number
  clients?: number
  /** absent: one of its own */
  url?: string
}
const LIMIT: Limit = { name: 'default', points: 60, windowMs: 60_000 }

export async function run(options: RedisBenchOptions = {}): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-redis-'))
  const server = options.url === undefined ? await startRedis({ folder }) : undefined
  const url = options.url ?? server!.env.REDIS_URL!
  const sides = [await ours(url, LIMIT), await rateLimiterFlexible(url, LIMIT)]
  try {
    return await compare(sides, options)
  } finally {
    for (const side of sides) await side.close()
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function compare(
  sides: Limiter[],
  { rounds = 7, roundMs = 3_000, inFlight = 64, clients = 4_000 }: RedisBenchOptions,
) {
  const rates = sides.map((): number[] => [])
  const lags = sides.map((): number[] => [])
  for (const side of sides) await load(side, { ms: roundMs / 3, inFlight, clients, run: 'warm' })
  for (let round = 0; round < rounds; round++) {
    for (const at of round % 2 ? [1, 0] : [0, 1]) {
      const lag = watchLag()
      const { decisions, seconds } = await load(sides[at]!, { ms: roundMs, inFlight, clients, run: String(round) })
      rates[at]!.push(decisions / seconds)
      lags[at]!.push(lag().at(0.99))
    }
  }
  const peer = (value: number) => ({ name: sides[1]!.name, value })
  return [
    figureOf({
      figure: 'redis.limits',
      unit: 'decisions/s',
      better: 'higher',
      ours: median(rates[0]!),
      samples: rounds,
      peer: peer(median(rates[1]!)),
    }),
    figureOf({
      figure: 'redis.limits_loop_lag_p99',
      unit: 'ms',
      better: 'lower',
      ours: median(lags[0]!),
      samples: rounds,
      peer: peer(median(lags[1]!)),
    }),
  ]
}

async function load(
  side: Limiter,
  { ms, inFlight, clients, run }: { ms: number; inFlight: number; clients: number; run: string },
) {
  const granted = new Map<string, number>()
  const began = performance.now()
  let decisions = 0
  const ask = async (worker: number) => {
    for (let n = worker; performance.now() - began < ms; n += inFlight) {
      // every second request is of one of 40 busy clients
      const client = n % 2 ? `${run} busy ${n % 40}` : `${run} ${n % clients}`
      if (await side.allowed(client)) granted.set(client, (granted.get(client) ?? 0) + 1)
      decisions++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, (_, worker) => ask(worker)))
  const elapsedMs = performance.now() - began
  check(side, granted, elapsedMs)
  return { decisions, seconds: elapsedMs / 1_000 }
}

/** Counted outside of both: a limiter that is fast because it lets everybody through is none. */
function check({ name }: Limiter, granted: ReadonlyMap<string, number>, elapsedMs: number): void {
  const most = LIMIT.points + Math.ceil((elapsedMs * LIMIT.points) / LIMIT.windowMs)
  for (const [client, count] of granted)
    if (count > most)
      throw new Error(`${name} granted "${client}" ${count} requests in ${elapsedMs} ms: at most ${most}`)
}
