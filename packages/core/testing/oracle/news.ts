import type { NewsWindowRule } from '../../domain/engine/types.ts'
import { type Account, type Desk, instrumentOf, isHedging, type Order, rulesOf } from './account.ts'
import type { Line } from './breach.ts'
import { max, num } from './number.ts'

type Deed = NewsWindowRule['forbids'][number]

/** Is this an instant, both ends included, of news that hit the symbol? */
function isHit({ spec }: Account, rule: NewsWindowRule, symbol: string, at: number): boolean {
  const calendar = spec.calendars.find((c) => c.kind === 'news' && c.name === rule.calendar)
  if (calendar?.kind !== 'news') return false
  const { base, quote } = instrumentOf(spec, symbol)
  return calendar.events.some(({ at: when, currency, impact }) => {
    if (!rule.impact.includes(impact)) return false
    if (currency !== base && currency !== quote && !rule.also[currency]?.includes(symbol)) return false
    const time = Date.parse(when)
    return time - rule.before_s * 1000 <= at && at <= time + rule.after_s * 1000
  })
}
/** Does a rule hold this back now? */
export function isHeldBack({ account, at }: Desk, symbol: string, deed: Deed): boolean {
  return rulesOf(account).some(
    (rule) =>
      rule.rule === 'news_window' &&
      rule.effect === 'gate' &&
      rule.forbids.includes(deed) &&
      isHit(account, rule, symbol, at),
  )
}
/** What was done in this point although news forbid it. */
export function newsBroken({ account, at }: Desk): Line[] {
  const { deeds } = account
  account.deeds = []
  return rulesOf(account).flatMap((rule, index): Line[] => {
    if (rule.rule !== 'news_window' || rule.effect === 'gate') return []
    const broken = deeds.filter(({ what, symbol }) => rule.forbids.includes(what) && isHit(account, rule, symbol, at))
    return broken.length > 0 ? [{ index, value: num('1'), limit: 0n, gap: -num('1') }] : []
  })
}
/** What an order that traded so much at once did to what was held: it closed, opened, or both in a reversal. */
export function entersOrExits(
  account: Account,
  { reduceOnly, ticket, side }: Order,
  { held, traded }: { held: bigint; traded: bigint },
): ('open' | 'close')[] {
  if (reduceOnly || ticket !== null) return ['close']
  const against = isHedging(account) ? 0n : max(side === 'buy' ? -held : held, 0n)
  return [...(against > 0n ? (['close'] as const) : []), ...(traded > against ? (['open'] as const) : [])]
}
