/** Orders of every type near a price, as a client sends them. */
export interface OrderAsked {
  client_order_id?: string
  symbol: string
  side: 'buy' | 'sell'
  type: 'market' | 'limit' | 'stop' | 'stop_limit' | 'trailing_stop' | 'oco' | 'bracket'
  quantity: string
  price?: string
  stop_price?: string
  stop_limit_price?: string
  trail?: { offset: string } | { pct: string }
  activation_price?: string
  time_in_force?: 'gtc' | 'ioc' | 'fok' | 'day'
  reduce_only?: boolean
  post_only?: boolean
  take_profit?: { price: string }
  stop_loss?: { stop_price: string; price?: string } | { trail: { offset: string } | { pct: string } }
  position?: string
}
export interface Near {
  symbol: string
  side: 'buy' | 'sell'
  quantity: string
  price: number
  digits: number
  /** how far prices lie from it at most, as a fraction */
  within: number
}
const TYPES = ['limit', 'limit', 'stop', 'stop_limit', 'trailing_stop', 'oco', 'bracket', 'bracket'] as const

/** Any type but market. */
export function orderNear(random: () => number, { symbol, side, quantity, price, digits, within }: Near): OrderAsked {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!
  const text = (at: number): string => at.toFixed(digits)
  const beyond = (up: boolean): string => text(price * (1 + (up ? 1 : -1) * within * (0.1 + 0.9 * random())))
  const near = (): string => beyond(random() < 0.5)
  const up = side === 'buy'
  const trail = () => (random() < 0.5 ? { pct: '0.2' } : { offset: text(price * within * 0.5) })
  const plain = { symbol, side, quantity }
  const lasting = random() < 0.2 ? ({ time_in_force: 'day' } as const) : {}
  const type = pick(TYPES)
  switch (type) {
    case 'limit': {
      const terms = random() < 0.15 ? ({ time_in_force: pick(['ioc', 'fok'] as const) } as const) : lasting
      const post = random() < 0.15 && terms === lasting ? { post_only: true } : {}
      return { ...plain, type, price: near(), ...terms, ...post }
    }
    case 'stop':
      return { ...plain, type, stop_price: near(), ...lasting, ...(random() < 0.2 ? { reduce_only: true } : {}) }
    case 'stop_limit':
      return { ...plain, type, stop_price: near(), price: near(), ...lasting }
    case 'trailing_stop':
      return {
        ...plain,
        type,
        trail: trail(),
        ...lasting,
        ...(random() < 0.3 ? { activation_price: beyond(!up) } : {}),
      }
    case 'oco': {
      const limited = random() < 0.3 ? { stop_limit_price: near() } : {}
      return { ...plain, type, price: beyond(!up), stop_price: beyond(up), ...limited, ...lasting }
    }
    case 'bracket': {
      const entry = random() < 0.5 ? {} : { price: near() }
      const stop = random() < 0.6 ? { stop_price: beyond(!up) } : { trail: trail() }
      return { ...plain, type, ...entry, take_profit: { price: beyond(up) }, stop_loss: stop }
    }
  }
}
