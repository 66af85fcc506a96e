/**
 * Starting, through `./assay up` to the first 200 of /ready: `start.first` on an empty folder after the installation,
 * `start.second` after a clean stop, `start.kill` after kill -9 under load. Resident memory of the one process:
 * `start.rss` five seconds after a start, `start.rss_orders` after minutes of orders over HTTP, `start.rss_peak` in them.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Figure, figureOf, median } from './figure.ts'
import { freePort, type Platform, startPlatform } from './start/platform.ts'
import { signUp, trade } from './start/traders.ts'

export const summary = 'time to ready and resident memory'

export interface StartOptions {
  rounds?: number
  /** of orders before the kill */
  loadS?: number
  clients?: number
  /** of orders before the memory is read */
  ordersMinutes?: number
}
const SETTLED_MS = 5_000

export async function run(options: StartOptions = {}): Promise<Figure[]> {
  const { rounds = 5 } = options
  const taken: Starts[] = []
  for (let round = 0; round < rounds; round++) taken.push(await starts(options))
  const { rss, peak, orders } = await memoryUnderOrders(options)
  const of = (pick: (starts: Starts) => number) => median(taken.map(pick))
  const figure = (name: string, unit: string, ours: number, samples: number) =>
    figureOf({ figure: `start.${name}`, unit, better: 'lower', ours, samples })
  return [
    figure(
      'first',
      'ms',
      of(({ first }) => first),
      rounds,
    ),
    figure(
      'second',
      'ms',
      of(({ second }) => second),
      rounds,
    ),
    figure(
      'kill',
      'ms',
      of(({ kill }) => kill),
      rounds,
    ),
    figure(
      'rss',
      'MB',
      of(({ rss }) => rss),
      rounds,
    ),
    figure('rss_orders', 'MB', rss, orders),
    figure('rss_peak', 'MB', peak, orders),
  ]
}

interface Starts {
  first: number
  second: number
  kill: number
  rss: number
}
async function starts({ loadS = 5, clients = 64 }: StartOptions): Promise<Starts> {
  return inScratch(async (start) => {
    const first = await start()
    await Bun.sleep(SETTLED_MS)
    const rss = first.rss()
    const traders = await signUp(first.url, clients)
    await endCleanly(first)

    const second = await start()
    const load = trade(traders)
    await Bun.sleep(loadS * 1000)
    await second.end('SIGKILL')
    if ((await load.stop()).answered === 0) throw new Error('no order was answered before the kill')

    const third = await start()
    await endCleanly(third)
    return { first: first.readyMs, second: second.readyMs, kill: third.readyMs, rss }
  })
}

async function memoryUnderOrders({ clients = 64, ordersMinutes = 5 }: StartOptions) {
  return inScratch(async (start) => {
    const platform = await start()
    const load = trade(await signUp(platform.url, clients))
    let peak = 0
    for (const end = performance.now() + ordersMinutes * 60_000; performance.now() < end; await Bun.sleep(1000))
      peak = Math.max(peak, platform.rss())
    const rss = platform.rss()
    const { answered, failed } = await load.stop()
    if (failed > 0) throw new Error(`${failed} of ${clients} traders were refused`)
    await endCleanly(platform)
    return { rss, peak: Math.max(peak, rss), orders: answered }
  })
}

async function inScratch<T>(measure: (start: () => Promise<Platform>) => Promise<T>): Promise<T> {
  const home = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const port = await freePort()
  try {
    return await measure(() => startPlatform(home, port))
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

async function endCleanly(platform: Platform): Promise<void> {
  const code = await platform.end('SIGTERM')
  if (code !== 0) throw new Error(`a clean stop ended with ${code}`)
}
