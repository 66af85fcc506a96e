import type { AccountSpec, AmendBody, Command, OrderBody } from '../../domain/engine/types.ts'
import type { Instrument } from '../../domain/instruments/instrument.ts'
import { pick } from '../random-world.ts'
import type { Has, Item, Random, RandomMarket } from './worlds.ts'

interface Scene {
  random: Random
  market: RandomMarket
  has: Has
}
interface Trader {
  account: string
  spec: AccountSpec
  id: string
}
const nth = (random: Random): string => `?${Math.floor(random() * 8)}`

/** What a trader does next, near the market. */
export function commandOf(scene: Scene, { account, spec, id }: Trader): Item {
  const { random, market, has } = scene
  const instrument = pick(random, market.instruments)
  const { symbol } = instrument
  const dice = random()
  const say = (command: Command): Item => ({ account, command })
  if (dice < 0.1) return { account, flatten: Math.floor(random() * 8), id }
  if (dice < 0.14) return say(random() < 0.5 ? { op: 'cancel_all' } : { op: 'cancel_all', symbol })
  if (dice < 0.143) return say({ op: 'abandon' })
  if (has('pause') && dice < 0.16) return say(random() < 0.5 ? { op: 'pause' } : { op: 'resume' })
  if (has('orders')) {
    if (dice < 0.22) return say({ op: 'cancel', order: nth(random) })
    if (dice < 0.3) return say({ op: 'amend', order: nth(random), ...amendment(scene, instrument) })
    if (dice < 0.4) {
      const part = random() < 0.3 ? { quantity: market.size(instrument, pick(random, [0.05, 1])) } : {}
      return say({ op: 'close', position: random() < 0.2 ? symbol : nth(random), ...part, client_order_id: id })
    }
  }
  return say({ op: 'order', ...bodyOf(scene, instrument, spec), client_order_id: id })
}

function bodyOf({ random, market, has }: Scene, instrument: Instrument, spec: AccountSpec): OrderBody {
  const { symbol } = instrument
  const chance = (share: number) => random() < share
  const side = pick(random, ['buy', 'sell'] as const)
  const up = side === 'buy' ? 1 : -1
  const mid = market.ticks.get(symbol) ?? 10
  const near = (from: number, to: number) =>
    market.price(instrument, mid + from + Math.floor(random() * (to - from + 1)))
  const quantity = chance(0.015)
    ? pick(random, ['0', '0.00003', '100000000'])
    : market.size(instrument, pick(random, [0.05, 1, 1, 3, 20]))
  const plain = { symbol: chance(0.01) ? 'ZZZ/USD' : symbol, side, quantity }
  if (!has('orders')) {
    if (chance(0.5)) return { ...plain, type: 'market' }
    return { ...plain, type: 'limit', price: near(-7, 7), time_in_force: chance(0.3) ? 'ioc' : 'gtc' }
  }
  const lasting = (): Pick<OrderBody, 'time_in_force' | 'expires_at'> => {
    if (chance(0.5)) return {}
    const time_in_force = pick(random, ['gtc', 'day', 'gtd'] as const)
    const expires_at = market.ts + Math.floor(random() * 20_000_000) - (chance(0.02) ? 20_000_000 : 0)
    return time_in_force === 'gtd' ? { time_in_force, expires_at } : { time_in_force }
  }
  const distance = () =>
    chance(0.5)
      ? { offset: market.price(instrument, 1 + Math.floor(random() * 12)) }
      : { pct: pick(random, ['0.01', '0.1', '0.75']) }
  const exits = (): Partial<OrderBody> => {
    if (!chance(0.3)) return {}
    const far = () => 3 + Math.floor(random() * 14)
    const stop = market.price(instrument, mid - up * far())
    const stop_loss = chance(0.3)
      ? { trail: distance() }
      : chance(0.3)
        ? { stop_price: stop, price: market.price(instrument, mid - up * far()) }
        : { stop_price: stop }
    return {
      ...(chance(0.8) ? { take_profit: { price: market.price(instrument, mid + up * far()) } } : {}),
      ...(chance(0.8) ? { stop_loss } : {}),
    }
  }
  const reducing = (): Partial<OrderBody> => {
    if (spec.position_mode === 'hedging' && chance(0.4)) return { position: nth(random) }
    return chance(0.15) ? { reduce_only: true } : {}
  }
  const extra = chance(0.3) ? reducing() : exits()
  switch (
    pick(random, ['market', 'market', 'limit', 'limit', 'limit', 'stop', 'stop_limit', 'trailing_stop', 'oco'] as const)
  ) {
    case 'market':
      return { ...plain, type: 'market', ...(chance(0.15) ? { time_in_force: 'fok' } : {}), ...extra }
    case 'limit': {
      const body = { ...plain, type: 'limit' as const, price: near(-8, 8), ...extra }
      const dice = random()
      if (dice < 0.15) return { ...body, time_in_force: 'ioc' }
      if (dice < 0.3) return { ...body, time_in_force: 'fok' }
      return { ...body, ...lasting(), ...(chance(0.2) ? { post_only: true } : {}) }
    }
    case 'stop':
      return { ...plain, type: 'stop', stop_price: near(up * 3 - 5, up * 3 + 5), ...lasting(), ...extra }
    case 'stop_limit':
      return {
        ...plain,
        type: 'stop_limit',
        stop_price: near(up * 3 - 5, up * 3 + 5),
        price: near(up * 3 - 6, up * 3 + 6),
        ...lasting(),
        ...extra,
      }
    case 'trailing_stop':
      return {
        ...plain,
        type: 'trailing_stop',
        trail: distance(),
        ...(chance(0.3) ? { activation_price: near(-6, 6) } : {}),
        ...lasting(),
        ...extra,
      }
    case 'oco':
      return {
        ...plain,
        type: 'oco',
        price: market.price(instrument, mid - up * (1 + Math.floor(random() * 6))),
        stop_price: market.price(instrument, mid + up * (4 + Math.floor(random() * 6))),
        ...(chance(0.3) ? { stop_limit_price: near(-8, 8) } : {}),
        ...lasting(),
        ...(chance(0.5) ? extra : {}),
      }
  }
}
function amendment({ random, market }: Scene, instrument: Instrument): AmendBody {
  const mid = market.ticks.get(instrument.symbol) ?? 10
  const near = () => market.price(instrument, mid + Math.floor(random() * 17) - 8)
  const chance = (share: number) => random() < share
  const body: AmendBody = {}
  if (chance(0.4)) body.price = near()
  if (chance(0.25)) body.quantity = market.size(instrument, pick(random, [0.05, 1, 3]))
  if (chance(0.2)) body.stop_price = near()
  if (chance(0.1)) body.trail = { offset: market.price(instrument, 1 + Math.floor(random() * 9)) }
  if (chance(0.1)) body.expires_at = market.ts + Math.floor(random() * 9_000_000)
  return Object.keys(body).length > 0 ? body : { price: near() }
}
