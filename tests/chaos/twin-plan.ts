/** What the accounts of the twins do, and where: every type of order, amendments, closes, pauses. */
import { writeFileSync } from 'node:fs'
import { orderNear } from './order-near.ts'
import { seeded } from './seeded.ts'
import type { Planned, TwinCommand } from './twin.ts'

/** In the order of their tiers (twin.ts). The first trades so much that costs break its limits. */
const QUANTITIES = [
  ['410', '950', '1400'],
  ['15', '47', '120', '400'],
  ['15', '47', '120'],
  ['1900', '3000', '4500'],
]
const [PAUSING, HEDGING] = [1, 2]
/** It buys and holds: nothing but time and prices changes it. */
const HOLDER = QUANTITIES.length
const [LATEST, DIGITS, WITHIN] = [6, 6, 0.006]

export function planCommands(file: string, seed: number, prices: readonly number[], every: number): number {
  const random = seeded(seed)
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!
  const planned: Planned[] = []
  /** places of the newest orders of each account */
  const placed: number[][] = QUANTITIES.map(() => [])
  const paused = new Set<number>()
  const give = (after: number, account: number, command: TwinCommand) => {
    if (command.op === 'order') placed[account]!.unshift(planned.length)
    planned.push({ after, account, command })
  }
  const order = (account: number, after: number): TwinCommand => {
    const side = pick(['buy', 'sell'] as const)
    const near = { symbol: 'XRP/ETH', side, quantity: pick(QUANTITIES[account]!), digits: DIGITS, within: WITHIN }
    if (random() < 0.5) {
      const ticket = account === HEDGING && random() < 0.3 ? ({ ticket: true } as const) : {}
      return { op: 'order', symbol: near.symbol, side, quantity: near.quantity, type: 'market', ...ticket }
    }
    return { op: 'order', ...orderNear(random, { ...near, price: prices[after]! }) }
  }
  const next = (account: number, after: number): TwinCommand => {
    const choice = random()
    const place = pick(placed[account]!.slice(0, LATEST))
    if (choice < 0.74 || place === undefined) return order(account, after)
    const price = (prices[after]! * (1 + (random() - 0.5) * WITHIN)).toFixed(DIGITS)
    const change = pick([{ price }, { stop_price: price }, { quantity: pick(QUANTITIES[account]!) }])
    if (choice < 0.84) return { op: 'amend', place, change }
    if (choice < 0.88) return { op: 'cancel', place }
    if (choice < 0.96) return { op: 'close', ...(random() < 0.5 ? { quantity: '10' } : {}) }
    return { op: 'cancel_all' }
  }
  for (let account = 0; account <= HOLDER; account++) planned.push({ after: 2, account, command: { op: 'start' } })
  planned.push({
    after: 9,
    account: HOLDER,
    command: { op: 'order', symbol: 'XRP/ETH', side: 'buy', quantity: '8', type: 'market' },
  })
  const low = {
    symbol: 'XRP/ETH',
    side: 'buy',
    quantity: '8',
    type: 'limit',
    price: '0.001',
    time_in_force: 'day',
  } as const
  planned.push({ after: 9, account: HOLDER, command: { op: 'order', ...low } })
  const last = prices.length - 10
  for (let after = 10; after < last; after += 1 + Math.floor(random() * 5 * every)) {
    const account = Math.floor(random() * HOLDER)
    if (paused.delete(account)) give(after, account, { op: 'resume' })
    // a burst at one event: its orders find the depth that those before took
    const burst = 1 + Math.floor(random() * 4)
    for (let n = 0; n < burst; n++) give(after, account, next(account, after))
    if (account !== PAUSING || random() < 0.85) continue
    for (const op of ['cancel_all', 'close', 'pause'] as const) give(after, account, { op })
    paused.add(account)
  }
  planned.push({ after: last, account: HEDGING, command: { op: 'abandon' } })
  writeFileSync(file, JSON.stringify(planned))
  return planned.length
}
