/**
 * Durable orders. `orders.engine`: orders/s through the engine port, 256 outstanding, beside the same statements with
 * one transaction per order on the same kind of connection; interleaved rounds, medians, rows counted afterwards.
 * `orders.stall`: longest time without an answer, ms. `orders.lag_p99`: how late a timer of the main thread fires meanwhile.
 */
import { type Figure, figureOf, median } from './figure.ts'
import { oneByOne, ordersRig } from './orders/engine-port.ts'

export const summary = 'durable orders through the engine port beside one transaction per order'

export interface OrdersOptions {
  outstanding?: number
  rounds?: number
  roundMs?: number
  /** orders of the run that looks for stalls */
  stallOrders?: number
}
const PEER = 'the same statements, one transaction per order, PGlite 0.5.16'

export async function run(options: OrdersOptions = {}): Promise<Figure[]> {
  const { outstanding = 256, rounds = 5, roundMs = 4000, stallOrders = 100_000 } = options
  const ours = await ordersRig('ours')
  const peer = await ordersRig('peer', oneByOne)
  const rates: [number[], number[]] = [[], []]
  for (let round = 0; round <= rounds; round++) {
    const [a, b] = [await ours.run(outstanding, { ms: roundMs }), await peer.run(outstanding, { ms: roundMs })]
    // the first round warms both up
    if (round === 0) continue
    rates[0].push(a.ordersPerS)
    rates[1].push(b.ordersPerS)
  }
  const long = await ours.run(outstanding, { orders: stallOrders })
  await ours.audit()
  await peer.audit()
  await ours.close()
  await peer.close()
  const { latencies } = long
  const ms = (figure: string, value: number): Figure =>
    figureOf({ figure, unit: 'ms', better: 'lower', ours: value, samples: long.orders })
  return [
    figureOf({
      figure: 'orders.engine',
      unit: 'orders/s',
      better: 'higher',
      ours: median(rates[0]),
      samples: rates[0].length,
      peer: { name: PEER, value: median(rates[1]) },
    }),
    ms('orders.p50', latencies.at(0.5)),
    ms('orders.p99', latencies.at(0.99)),
    ms('orders.stall', long.stallMs),
    ms('orders.lag_p99', long.lag.at(0.99)),
  ]
}
