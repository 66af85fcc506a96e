import { describe, expect, test } from 'bun:test'
import { factsOf } from '../../testing/book.ts'
import { type Lots, newRuleState, newTrades, type RuleState } from '../engine/state.ts'
import { add, type Dec, dec, str, ZERO } from '../money/dec.ts'
import { consistency } from './consistency.ts'
import type { BookedFill } from './kind.ts'
import type { ConsistencyRule, ProfitTargetRule } from './types.ts'

const TARGET: ProfitTargetRule = {
  rule: 'profit_target',
  amount: '3000',
  basis: 'balance',
  require_flat: true,
  sticky: false,
  effect: 'gate',
}
const share = (basis: ConsistencyRule['basis'], of: string, more: Partial<ConsistencyRule> = {}): ConsistencyRule => ({
  rule: 'consistency',
  basis,
  share: of,
  compare: 'lt',
  gross: false,
  effect: 'gate',
  ...more,
})

/** Days under one rule, by their results; the last one is still running. */
class Days {
  readonly state: RuleState = newRuleState()
  private start: Dec = dec('100000')
  private today: Dec = ZERO
  private grossToday: Dec = ZERO
  constructor(
    private readonly rule: ConsistencyRule,
    private readonly lots: Lots[] = [],
  ) {}
  facts() {
    const balance = str(add(this.start, this.today))
    return factsOf({
      balance,
      day: { balance: str(this.start), gross: this.grossToday },
      rules: [TARGET, this.rule],
      at: MONDAY,
      account: { trades: { ...newTrades(), lots: this.lots } },
    })
  }
  /** The running day has booked this much so far. */
  has(result: string, gross = result): this {
    this.today = dec(result)
    this.grossToday = dec(gross)
    return this
  }
  ends(...results: string[]): this {
    for (const result of results) {
      this.has(result)
      this.end()
    }
    return this
  }
  end(): this {
    consistency.endDay!(this.rule, this.facts(), this.state)
    this.start = add(this.start, this.today)
    return this.has('0')
  }
  trade(net: string, gross = net): this {
    const fill = { ended: { openedAt: 0, gross: dec(gross), net: dec(net) } } as BookedFill
    consistency.onFill!(this.rule, fill, this.facts(), this.state)
    return this
  }
  met = (): boolean => consistency.met!(this.rule, this.facts(), this.state)
  standing() {
    const { value, limit, remaining, met, effectiveTarget } = consistency.standing!(
      this.rule,
      this.facts(),
      this.state,
      () => null,
    )
    const text = (d: Dec | string) => (typeof d === 'string' ? d : str(d))
    return [text(value), text(limit), text(remaining), met, effectiveTarget && str(effectiveTarget)]
  }
}
const MONDAY = Date.parse('2024-03-04T12:00:00Z')

describe('vectors of reference 3.10', () => {
  test('16: share 0.5 of the total, days +3,000, +1,000, +2,000: met on the third', () => {
    const days = new Days(share('total', '0.5')).ends('3000')
    expect([days.standing()[0], days.met()]).toEqual(['1', false])
    days.ends('1000')
    expect([days.standing()[0], days.met()]).toEqual(['0.75', false])
    days.has('1999.99')
    expect(days.met()).toBe(false)
    days.has('2000')
    expect([days.standing()[0], days.met()]).toEqual(['0.5', true])
  })

  test('17: share 0.4, best 3,000: the target becomes 7,500', () => {
    expect(new Days(share('total', '0.4')).ends('3000').standing().at(-1)).toBe('7500')
  })

  test('18: days +500, -400, +500: 83 % of the total, 50 % of the positive days', () => {
    const of = (basis: ConsistencyRule['basis']) => new Days(share(basis, '0.5')).ends('500', '-400', '500')
    expect([of('total').met(), of('positive_days').met()]).toEqual([false, true])
    expect(of('positive_days').standing()[0]).toBe('0.5')
    expect(of('total').standing()[0]).toStartWith('0.8333')
  })
})

describe('the best day', () => {
  test('reached exactly is allowed by lt and not by lte', () => {
    const at = (compare: 'lt' | 'lte', last: string) =>
      new Days(share('total', '0.5', { compare })).ends('3000', '1000').has(last).met()
    expect(['1999.99', '2000', '2000.01'].map((last) => at('lt', last))).toEqual([false, true, true])
    expect(['1999.99', '2000', '2000.01'].map((last) => at('lte', last))).toEqual([false, false, true])
  })

  test('of the target: no day above its share, whatever the total is', () => {
    const at = (best: string) => new Days(share('target', '0.5')).ends(best).met()
    expect([at('1499.99'), at('1500'), at('1500.01')]).toEqual([true, true, false])
  })

  test('the running day counts as it is', () => {
    const days = new Days(share('total', '0.5')).ends('1000', '1000')
    expect(days.met()).toBe(true)
    expect(days.has('2500').met()).toBe(false)
    expect(days.has('-100').met()).toBe(false)
  })

  test('of the positive days: the running one counts with them, a losing one not against them', () => {
    const days = new Days(share('positive_days', '0.5')).ends('1000')
    expect(days.has('999.99').met()).toBe(false)
    expect(days.has('1000').met()).toBe(true)
    expect(days.ends('1000').has('-1500').standing()[0]).toBe('0.5')
  })

  test('a losing day is never the best one, even as the first', () => {
    const days = new Days(share('total', '0.5')).ends('-400', '500', '500', '500')
    expect(days.standing()[0]).toBe('0.454545454545454545')
    expect(days.met()).toBe(true)
  })

  test('it keeps being the best', () => {
    expect(new Days(share('target', '0.5')).ends('1600', '100', '200').met()).toBe(false)
  })

  test('while the total is not above zero the gate is closed, on every basis', () => {
    for (const basis of ['total', 'positive_days', 'target', 'trade', 'lots'] as const) {
      expect(new Days(share(basis, '0.9')).met()).toBe(false)
      expect(new Days(share(basis, '0.9')).ends('500', '-500').met()).toBe(false)
      expect(new Days(share(basis, '0.9')).ends('500', '-500.01').met()).toBe(false)
    }
    expect(new Days(share('trade', '0.9')).ends('500', '-499.99').met()).toBe(true)
  })

  test('gross leaves fees, swap and funding out', () => {
    // net 900 of 1,800; gross 1,000 of 2,100
    const of = (gross: boolean) =>
      new Days(share('total', '0.49', { gross })).has('900', '1000').end().has('900', '1100').met()
    expect([of(false), of(true)]).toEqual([false, false])
    const even = (gross: boolean) =>
      new Days(share('total', '0.5', { gross })).has('900', '1000').end().has('900', '1100')
    expect([even(false).met(), even(true).met()]).toEqual([true, false])
  })

  test('the target that is served is never below that of the phase', () => {
    expect(new Days(share('total', '0.5')).ends('1000').standing().at(-1)).toBe('3000')
    expect(new Days(share('total', '0.5')).ends('-1000').standing().at(-1)).toBe('3000')
    expect(new Days(share('target', '0.5')).ends('2000').standing().at(-1)).toBeUndefined()
  })

  test('what is left is served: the share less what the best day makes', () => {
    expect(new Days(share('target', '0.5')).ends('900').standing().slice(0, 4)).toEqual(['0.3', '0.5', '0.2', true])
  })
})

describe('the best trade', () => {
  test('no closed trade makes more than its share of the target, net or gross', () => {
    const best = (gross: boolean, ...trades: [string, string][]) => {
      const days = new Days(share('trade', '0.3', { gross })).has('2000')
      for (const [net, of] of trades) days.trade(net, of)
      return days.met()
    }
    expect([best(false, ['900', '901']), best(true, ['900', '901'])]).toEqual([true, false])
    expect(best(false, ['900.01', '0'], ['100', '100'])).toBe(false)
    expect(best(false, ['100', '0'], ['900.01', '0'])).toBe(false)
    expect(best(false)).toBe(true)
  })

  test('a day makes no trade, and a trade no day', () => {
    expect(new Days(share('trade', '0.3')).ends('2500').met()).toBe(true)
    expect(new Days(share('target', '0.3')).has('100').trade('2500').met()).toBe(true)
  })

  test('a fill that ends nothing is no trade', () => {
    const days = new Days(share('trade', '0.3')).has('2000')
    consistency.onFill!(share('trade', '0.3'), { ended: null } as BookedFill, days.facts(), days.state)
    expect(days.state.best).toBeNull()
  })
})

describe('sizes of the week', () => {
  const lots = (sizes: string[], more: Partial<Lots> = {}): Lots => {
    const sorted = sizes.map(dec)
    return {
      symbol: 'TST/USD',
      week: 2827,
      count: sizes.length,
      sum: sorted.reduce(add, ZERO),
      least: sorted[0]!,
      most: sorted.at(-1)!,
      open: [],
      ...more,
    }
  }
  const even = (list: Lots[], compare: 'lt' | 'lte' = 'lt', of = '0.5') =>
    new Days(share('lots', of, { compare }), list).has('1').met()

  test('each lies within average x share and average / share, the ends by the comparison', () => {
    // average 2: 1 to 4
    expect(even([lots(['1', '3'])])).toBe(true)
    expect(even([lots(['1', '3'])], 'lte')).toBe(false)
    expect(even([lots(['1.01', '2.99'])], 'lte')).toBe(true)
    expect(even([lots(['0.99', '3.01'])])).toBe(false)
    // average 3, most 6
    expect(even([lots(['2', '2', '2', '6'])])).toBe(true)
    expect(even([lots(['2', '2', '2', '6'])], 'lte')).toBe(false)
    expect(even([lots(['2', '2', '2', '6.01'])])).toBe(false)
    expect(even([lots(['2.01', '2.01', '2', '5.99'])], 'lte')).toBe(true)
  })

  test('every symbol, and only the running week', () => {
    const uneven = lots(['1', '99'], { symbol: 'XXX/USD' })
    expect(even([lots(['1', '3']), uneven])).toBe(false)
    expect(even([lots(['1', '3']), { ...uneven, week: 2826 }])).toBe(true)
  })

  test('an order that is still being filled counts with what it has', () => {
    expect(even([lots(['2', '2'], { open: [{ order: 'o9', size: dec('0.5') }] })])).toBe(false)
    expect(even([lots(['2', '2'], { open: [{ order: 'o9', size: dec('1') }] })])).toBe(true)
  })

  test('how near the farthest size is to the average is served', () => {
    const standing = (list: Lots[]) => new Days(share('lots', '0.5'), list).has('1').standing().slice(0, 4)
    expect(standing([lots(['1', '3'])])).toEqual(['0.5', '0.5', '0', true])
    expect(standing([lots(['2', '2', '2', '6'])])).toEqual(['0.5', '0.5', '0', true])
    expect(standing([lots(['2', '2'])])).toEqual(['1', '0.5', '0.5', true])
    expect(standing([lots(['1', '4'])])[0]).toBe('0.4')
  })
})
