import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { factsOf } from '../../testing/book.ts'
import { newRuleState, type RuleState } from '../engine/state.ts'
import { dec, lte, max, min, str } from '../money/dec.ts'
import { maxLoss } from './max-loss.ts'
import type { MaxLossRule, Rule } from './types.ts'

const overall = (more: Partial<MaxLossRule> = {}): MaxLossRule => ({
  rule: 'max_loss',
  mode: 'static',
  limit: { pct: '10' },
  lock: null,
  metric: 'equity',
  compare: 'lt',
  effect: 'hard',
  ...more,
})
type Text = NonNullable<Parameters<typeof factsOf>[0]>
const MODES = ['static', 'eod_balance', 'eod_equity', 'closed_balance', 'intraday_equity'] as const

/** A phase under one rule: `at` is an evaluation point, `end` the end of a day; both say the floor that follows. */
class Phase {
  private readonly state: RuleState = newRuleState()
  constructor(
    private readonly rule: MaxLossRule,
    private readonly text: Text = {},
  ) {
    maxLoss.open!(rule, this.facts(), this.state)
  }
  private facts(now: Text = {}) {
    return factsOf({ ...this.text, ...now })
  }
  floor(): string {
    return str(maxLoss.floor!(this.rule, this.facts(), this.state)!)
  }
  at(balance: string, equity = balance): string {
    const value = maxLoss.series!(this.rule, this.facts({ balance, equity }))
    if (maxLoss.followsSeries!(this.rule)) this.state.high = max(this.state.high!, value)
    return this.floor()
  }
  end(balance: string, equity = balance): string {
    maxLoss.endDay!(this.rule, this.facts({ balance, equity }), this.state)
    return this.floor()
  }
}

describe('the floor at first', () => {
  test('is B0 - L in every mode, by percentage, amount or ratio', () => {
    for (const mode of MODES) {
      expect(new Phase(overall({ mode })).floor()).toBe('90000')
      expect(new Phase(overall({ mode, limit: { amount: '2000' } }), { initial: '50000' }).floor()).toBe('48000')
      expect(new Phase(overall({ mode, limit: { ratio: '0.06' } })).floor()).toBe('94000')
    }
  })

  test('is no higher than its lock', () => {
    const lock = { at: 'initial' as const, offset: '-12000' }
    expect(new Phase(overall({ lock })).floor()).toBe('88000')
  })
})

describe('what moves it', () => {
  test('static: nothing', () => {
    const phase = new Phase(overall())
    expect([phase.at('130000', '140000'), phase.end('120000', '150000'), phase.end('70000')]).toEqual(
      Array(3).fill('90000'),
    )
  })

  test('eod_balance: the balance at a day end, not the equity and not what the day had', () => {
    const phase = new Phase(overall({ mode: 'eod_balance' }))
    expect(phase.at('108000', '109000')).toBe('90000')
    expect(phase.end('104000', '107000')).toBe('94000')
    expect(phase.end('103000', '110000')).toBe('94000')
    expect(phase.end('104000.01')).toBe('94000.01')
  })

  test('eod_equity: the equity at a day end', () => {
    const phase = new Phase(overall({ mode: 'eod_equity' }))
    expect(phase.at('100000', '109000')).toBe('90000')
    expect(phase.end('104000', '107000')).toBe('97000')
    expect(phase.end('109000', '106999.99')).toBe('97000')
  })

  test('closed_balance: the balance at any point, not an open profit', () => {
    const phase = new Phase(overall({ mode: 'closed_balance' }))
    expect(phase.at('100000', '109000')).toBe('90000')
    expect(phase.at('103000', '103000')).toBe('93000')
    expect(phase.at('102000')).toBe('93000')
    expect(phase.end('102000', '120000')).toBe('93000')
  })

  test('intraday_equity: the equity at any point, open profit too', () => {
    const phase = new Phase(overall({ mode: 'intraday_equity' }))
    expect(phase.at('100000', '109000')).toBe('99000')
    expect(phase.at('120000', '104000')).toBe('99000')
    expect(phase.end('130000', '104000')).toBe('99000')
  })
})

describe('a lock is a ceiling of the floor', () => {
  const limit = { amount: '3000' }
  test('at B0 + offset: later peaks change nothing', () => {
    const lock = { at: 'initial' as const, offset: '100' }
    const phase = new Phase(overall({ mode: 'intraday_equity', limit, lock }))
    expect([phase.at('103099'), phase.at('103100'), phase.at('103101'), phase.at('150000')]).toEqual([
      '100099',
      '100100',
      '100100',
      '100100',
    ])
  })

  test("at B0 + the phase's target", () => {
    const target: Rule = {
      rule: 'profit_target',
      pct: '8',
      basis: 'balance',
      require_flat: true,
      sticky: false,
      effect: 'gate',
    }
    const lock = { at: 'target' as const }
    const phase = new Phase(overall({ mode: 'closed_balance', limit, lock }), { rules: [target] })
    expect([phase.at('110000'), phase.at('120000')]).toEqual(['107000', '108000'])
  })

  test('at the target of a phase that has none is an error', () => {
    expect(() => new Phase(overall({ limit, lock: { at: 'target' } })).floor()).toThrow('profit target')
  })
})

describe('vectors of reference 3.10', () => {
  test('3: FTMO 1-Step, day ends at 104,000 and 103,000', () => {
    const phase = new Phase(overall({ mode: 'eod_balance' }))
    expect([phase.floor(), phase.end('104000'), phase.end('103000')]).toEqual(['90000', '94000', '94000'])
  })
  test('4: Topstep 50k, day ends at 50,500, 50,000, 52,500', () => {
    const lock = { at: 'initial' as const, offset: '0' }
    const limit = { amount: '2000' }
    const locked = new Phase(overall({ mode: 'eod_balance', limit, lock }), { initial: '50000' })
    expect([locked.end('50500'), locked.end('50000'), locked.end('52500')]).toEqual(['48500', '48500', '50000'])
    const free = new Phase(overall({ mode: 'eod_balance', limit }), { initial: '50000' })
    expect([free.end('50500'), free.end('50000'), free.end('52500')].at(-1)).toBe('50500')
  })
  test('11: end-of-day trail of 3,000: a spike moves nothing, a close of 104,500 does', () => {
    const phase = new Phase(overall({ mode: 'eod_balance', limit: { amount: '3000' } }))
    expect([phase.at('100000', '104000'), phase.end('99500'), phase.end('104500')]).toEqual([
      '97000',
      '97000',
      '101500',
    ])
  })
  test('12: intraday trail of 3,000 after a peak of 102,000, beside a static one', () => {
    expect(new Phase(overall({ mode: 'intraday_equity', limit: { amount: '3000' } })).at('100000', '102000')).toBe(
      '99000',
    )
    expect(new Phase(overall({ limit: { amount: '3000' } })).at('100000', '102000')).toBe('97000')
  })
  test('13: the same locked at B0 and at B0 + 100, peak 104,000', () => {
    const locked = (offset: string) =>
      new Phase(overall({ mode: 'intraday_equity', limit: { amount: '3000' }, lock: { at: 'initial', offset } })).at(
        '100000',
        '104000',
      )
    expect([locked('0'), locked('100')]).toEqual(['100000', '100100'])
  })
  test('21: a ratio of 6 % under a mark of 110,000, and 6 % of B0', () => {
    const of = (limit: MaxLossRule['limit']) => new Phase(overall({ mode: 'closed_balance', limit })).at('110000')
    expect([of({ ratio: '0.06' }), of({ pct: '6' })]).toEqual(['103400', '104000'])
  })
})

test('it is tested at every point and not at the reset of the ending day', () => {
  expect((['every', 'reset'] as const).filter((point) => maxLoss.testedAt!(overall(), point))).toEqual(['every'])
})

test('a trailing floor never falls and never passes its lock', () => {
  const money = fc.integer({ min: 8_000_000, max: 13_000_000 }).map((cents) => str({ n: BigInt(cents), s: 2 }))
  const rules = fc.record({
    mode: fc.constantFrom(...MODES),
    limit: fc.constantFrom({ amount: '3000' }, { pct: '6' }, { ratio: '0.06' }),
    lock: fc.constantFrom(null, { at: 'initial' as const, offset: '0' }, { at: 'initial' as const, offset: '1000' }),
  })
  const points = fc.array(fc.tuple(money, money, fc.boolean()), { minLength: 1, maxLength: 15 })
  fc.assert(
    fc.property(rules, points, (more, list) => {
      const phase = new Phase(overall(more))
      let before = dec(phase.floor())
      for (const [balance, equity, ends] of list) {
        const floor = dec(ends ? phase.end(balance, equity) : phase.at(balance, equity))
        expect(lte(before, floor)).toBe(true)
        if (more.lock) expect(str(min(floor, dec(more.lock.offset === '0' ? '100000' : '101000')))).toBe(str(floor))
        before = floor
      }
    }),
  )
})
