/**
 * Live push. `push.delay`: open loop, 1,000 ticks/s to 100 clients beside 5 that stopped reading, ms from a tick's due
 * time to the client's read; ours through the whole platform, from its market log on, with orders running; it ends the 5
 * after 45 s without a pong, as in production. `push.messages`: messages/s of the push path alone as fast as the clients
 * take them, counted by the clients.
 */
import { type Figure, figureOf, median } from './figure.ts'
import { watchLag } from './measure/lag.ts'
import { wsPackage } from './peers/ws.ts'
import { arrived, type Clients, connectClients, quiet } from './push/clients.ts'
import { type FanOut, SYMBOLS } from './push/fan-out.ts'
import { ours } from './push/ours.ts'
import { platform } from './push/platform.ts'

export const summary = 'live push to WebSocket clients beside the ws package'

/** ticks in flight, throughput */
const WINDOW = 1000

export interface PushOptions {
  clients?: number
  stalled?: number
  ticksPerS?: number
  /** of one open-loop run */
  seconds?: number
  /** published before it, five times as fast: fills the buffers of those that do not read */
  warmTicks?: number
  /** interleaved rounds of the throughput */
  rounds?: number
  roundMs?: number
  /** ticks published in one turn of the loop, throughput */
  burst?: number
}

export async function run(options: PushOptions = {}): Promise<Figure[]> {
  return [...(await delays(options)), await throughput(options)]
}

async function delays(options: PushOptions): Promise<Figure[]> {
  const mine = await openLoop(await platform(), options)
  const peer = await openLoop(await wsPackage(), options)
  const figure = (name: string, ours: number, value: number) =>
    figureOf({
      figure: `push.${name}`,
      unit: 'ms',
      better: 'lower',
      ours,
      samples: mine.count,
      peer: { name: peer.name, value },
    })
  return [
    figure('delay_p50', mine.p50, peer.p50),
    figure('delay_p99', mine.p99, peer.p99),
    figure('delay_p999', mine.p999, peer.p999),
    figure('loop_lag_p99', mine.lag, peer.lag),
  ]
}
async function openLoop(
  server: FanOut,
  { clients = 100, stalled = 5, ticksPerS = 1000, seconds = 60, warmTicks = 50_000 }: PushOptions,
) {
  const readers = await connectClients(server, { clients, stalled, timed: true })
  readers.stall()
  await publishOnTime(server, ticksPerS * 5, warmTicks)
  await quiet(readers)
  readers.reset()

  const stopLag = watchLag()
  const published = await publishOnTime(server, ticksPerS, ticksPerS * seconds)
  const lag = stopLag().at(0.99)
  const { frames, latencies } = await arrived(readers, published * clients)
  await readers.stop()
  const skipped = await server.skipped()
  await server.stop()
  if (stalled > 0 && skipped === 0)
    throw new Error(`${server.name}: the stalled clients took everything; raise warmTicks`)
  if (frames !== published * clients)
    throw new Error(`${server.name}: ${published * clients} messages became ${frames}`)
  return { name: server.name, lag, ...latencies }
}
/** Each tick carries the time it was due: a late publisher counts as delay. */
async function publishOnTime(server: FanOut, ticksPerS: number, ticks: number): Promise<number> {
  const start = performance.now()
  for (let sent = 0; sent < ticks; await Bun.sleep(1)) {
    const due = Math.min(ticks, Math.floor(((performance.now() - start) / 1000) * ticksPerS))
    for (; sent < due; sent++)
      server.publish(sent % SYMBOLS, performance.timeOrigin + start + ((sent + 1) * 1000) / ticksPerS)
  }
  return ticks
}

async function throughput(options: PushOptions): Promise<Figure> {
  const { clients = 100, rounds = 5 } = options
  const sides = await Promise.all(
    [ours(), await wsPackage()].map(async (server) => ({
      server,
      rates: [] as number[],
      readers: await connectClients(server, { clients, stalled: 0, timed: false }),
    })),
  )
  for (let round = -1; round < rounds; round++) {
    for (const { server, readers, rates } of sides) {
      const rate = await saturate(server, readers, options)
      if (round >= 0) rates.push(rate)
    }
  }
  for (const { server, readers } of sides) {
    await readers.stop()
    await server.stop()
  }
  const [mine, peer] = sides as [(typeof sides)[0], (typeof sides)[0]]
  return figureOf({
    figure: 'push.messages',
    unit: 'messages/s',
    better: 'higher',
    ours: median(mine.rates),
    samples: rounds,
    peer: { name: peer.server.name, value: median(peer.rates) },
  })
}
/** Publishes in bursts, never further ahead of the slowest count than WINDOW ticks; messages/s until the last was read. */
async function saturate(
  server: FanOut,
  readers: Clients,
  { clients = 100, roundMs = 2000, burst = 10 }: PushOptions,
): Promise<number> {
  readers.reset()
  const start = performance.now()
  let published = 0
  let read = 0
  let done = false
  const watching = (async () => {
    while (!done) read = (await readers.report()).frames
  })()
  while (performance.now() - start < roundMs) {
    if (published * clients - read < WINDOW * clients)
      for (let tick = 0; tick < burst; tick++) server.publish(published++ % SYMBOLS, 0)
    await new Promise((resolve) => setImmediate(resolve))
  }
  done = true
  await watching
  await arrived(readers, published * clients)
  return (published * clients * 1000) / (performance.now() - start)
}
