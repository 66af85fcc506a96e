/**
 * Durable orders, beside the same statements with one transaction per order on the same connections: interleaved rounds,
 * medians. `orders.engine`: orders/s through the engine port, 256 outstanding, rows counted afterwards; `orders.stall`:
 * longest time without an answer, ms. `orders.http`: 64 keep-alive clients with an API key and a whole platform, orders
 * that fill and that rest; `orders.http_p99`, `orders.http_health_p99`: of an order and of GET /health beside them, ms.
 * `lag`: how late timers of the main thread fire meanwhile.
 */
import { type Figure, figureOf, median } from './figure.ts'
import { ordersRig } from './orders/engine-port.ts'
import { httpRig } from './orders/http-port.ts'
import { oneByOne } from './orders/one-by-one.ts'

export const summary = 'durable orders through the engine port and over HTTP beside one transaction per order'

export interface OrdersOptions {
  outstanding?: number
  clients?: number
  rounds?: number
  roundMs?: number
  /** orders of the runs that look for stalls */
  stallOrders?: number
}
const PEER = 'the same statements, one transaction per order, PGlite 0.5.16'
interface Rig<L extends { ordersPerS: number }> {
  run(until: { ms?: number; orders?: number }): Promise<L>
}

export async function run(options: OrdersOptions = {}): Promise<Figure[]> {
  return [...(await engineFigures(options)), ...(await httpFigures(options))]
}

async function engineFigures({ outstanding = 256, stallOrders = 100_000, ...rest }: OrdersOptions): Promise<Figure[]> {
  const ours = await ordersRig('ours', outstanding)
  const peer = await ordersRig('peer', outstanding, oneByOne)
  const rate = await interleaved('engine', ours, peer, rest)
  const { latencies, stallMs, lag, orders } = await ours.run({ orders: stallOrders })
  for (const rig of [ours, peer]) {
    await rig.audit()
    await rig.close()
  }
  return [
    rate,
    inMs('p50', latencies.at(0.5), orders),
    inMs('p99', latencies.at(0.99), orders),
    inMs('stall', stallMs, orders),
    inMs('lag_p99', lag.at(0.99), orders),
  ]
}

async function httpFigures({ clients = 64, stallOrders = 100_000, ...rest }: OrdersOptions): Promise<Figure[]> {
  const ours = await httpRig('together', clients)
  const peer = await httpRig('one', clients)
  const rate = await interleaved('http', ours, peer, rest)
  const { p50, p99, stallMs, health, lag, orders } = await ours.run({ orders: stallOrders })
  await ours.close()
  await peer.close()
  return [
    rate,
    inMs('http_p50', p50, orders),
    inMs('http_p99', p99, orders),
    inMs('http_stall', stallMs, orders),
    inMs('http_health_p99', health.p99, health.count),
    inMs('http_lag_p99', lag.p99, orders),
    inMs('http_lag_max', lag.max, orders),
  ]
}

async function interleaved<L extends { ordersPerS: number }>(
  name: string,
  ours: Rig<L>,
  peer: Rig<L>,
  { rounds = 5, roundMs = 4000 }: OrdersOptions,
): Promise<Figure> {
  const rates: [number[], number[]] = [[], []]
  for (let round = 0; round <= rounds; round++) {
    const [mine, its] = [await ours.run({ ms: roundMs }), await peer.run({ ms: roundMs })]
    // the first round warms both up
    if (round === 0) continue
    rates[0].push(mine.ordersPerS)
    rates[1].push(its.ordersPerS)
  }
  return figureOf({
    figure: `orders.${name}`,
    unit: 'orders/s',
    better: 'higher',
    ours: median(rates[0]),
    samples: rounds,
    peer: { name: PEER, value: median(rates[1]) },
  })
}
const inMs = (name: string, ours: number, samples: number): Figure =>
  figureOf({ figure: `orders.${name}`, unit: 'ms', better: 'lower', ours, samples })
