/** A random account over a random, sealed log: every order type, every rule, carry, pauses, symbols that are settled. */
import { isRunning } from '../domain/engine/state.ts'
import type { AccountSpec } from '../domain/engine/types.ts'
import type { MarketEvent } from '../domain/market/event.ts'
import { toNumber } from '../domain/money/dec.ts'
import { ProofWorld } from './proof-world.ts'
import { pick, randomCommand, randomMarket, randomOf, randomSpec } from './random-world.ts'

const STARTS = ['2024-03-29T08:00:00Z', '2024-10-25T08:00:00Z'].map(Date.parse)
/** An account that its leverage lets lose everything and that no hard limit ends before: stop-outs come. */
const poor = (spec: AccountSpec): AccountSpec => ({
  ...spec,
  initial_balance: '1500',
  stop_out: '0.8',
  phases: spec.phases.map((phase) => ({ ...phase, rules: phase.rules.filter((rule) => rule.effect !== 'hard') })),
})

export function randomStory(seed: number, events: number): ProofWorld {
  const random = randomOf(seed)
  const spec = randomSpec(random)
  const world = new ProofWorld(seed % 3 === 0 ? poor(spec) : spec)
  const mid = (symbol: string): number | null => {
    const quote = world.replay.view.symbol(symbol)?.quote
    return quote ? toNumber(quote.bid.price) : null
  }
  const born = 7 + Math.floor(random() * 30)
  const busy = pick(random, [0.05, 0.2, 0.5])
  const market = randomMarket(random, events, {
    volatility: pick(random, [0.0003, 0.002, 0.004]),
    pace: pick(random, [2_000, 20_000, 120_000, 600_000]),
    start: pick(random, STARTS),
  })
  for (const event of settling(market, random)) {
    const { mseq, mts, pos, ...tick } = event
    world.tick(mts, tick)
    if (world.events.length === born) {
      world.command({ op: 'create' })
      world.command({ op: 'start' })
    }
    if (world.events.length > born && random() < busy && isRunning(world.state))
      world.command(randomCommand(random, mid, world.state))
  }
  world.seal()
  return world
}

/** Now and then a symbol is settled, mostly at a price: nothing more is told of it. */
function* settling(market: Iterable<MarketEvent>, random: () => number): Generator<MarketEvent> {
  const settled = new Set<string>()
  for (const event of market) {
    if ('symbol' in event && settled.has(event.symbol)) continue
    if (event.kind !== 'quote' || event.mseq < 20 || random() >= 0.004) {
      yield event
      continue
    }
    const { ts, pos, mseq, mts, venue, symbol, bid } = event
    settled.add(symbol)
    const at = { ts, pos, mseq, mts, venue, symbol }
    yield { kind: 'symbol_state', ...at, state: 'settled', ...(random() < 0.8 ? { price: bid } : {}) }
  }
}
