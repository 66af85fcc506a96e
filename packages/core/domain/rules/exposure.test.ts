import { describe, expect, test } from 'bun:test'
import { bookOf, type FactsText, factsOf, SYMBOL, Tape } from '../../testing/book.ts'
import { orderOf, positionOf, requestOf } from '../../testing/request.ts'
import { instrument } from '../../testing/world.ts'
import { newRuleState, type Order, type Position } from '../engine/state.ts'
import { type Dec, dec, str } from '../money/dec.ts'
import { maxOpenPositions } from './max-open-positions.ts'
import { maxPositionSize } from './max-position-size.ts'
import { maxTotalExposure } from './max-total-exposure.ts'
import { scalingPlan } from './scaling-plan.ts'
import { kindOf } from './table.ts'
import type { MaxPositionSizeRule, Rule, ScalingPlanRule } from './types.ts'

const SPEC = {
  instruments: [
    instrument(SYMBOL, { contract_size: '10' }),
    instrument('XXX/USD'),
    instrument('EUR/JPY', { conversions: { USD: [{ symbol: 'USD/JPY', direct: false }] } }),
  ],
}
const tape = new Tape()
  .quote(['99.00'], ['101.00'])
  .quote(['19.00'], ['21.00'], 'XXX/USD')
  .quote(['160.00'], ['160.00'], 'EUR/JPY')
  .quote(['100.00'], ['125.00'], 'USD/JPY')
const quoteOf = (symbol: string) => tape.view.symbol(symbol)?.quote ?? null
interface Account {
  positions?: Position[]
  orders?: Order[]
  text?: FactsText
}
const asked = (order: Order, { positions = [], orders = [], text = {} }: Account = {}) => {
  const book = { ...bookOf(), positions }
  const facts = factsOf({ ...text, spec: { ...SPEC, ...text.spec }, account: { book, orders } })
  return { request: requestOf(order, facts, quoteOf), facts }
}
const size = (more: Partial<MaxPositionSizeRule>): MaxPositionSizeRule => ({
  rule: 'max_position_size',
  per: 'symbol',
  effect: 'gate',
  ...more,
})
function refused(rule: MaxPositionSizeRule, order: Order, account: Account = {}): string | null {
  const { request, facts } = asked(order, account)
  return maxPositionSize.refuse!(rule, request, facts, newRuleState())?.detail ?? null
}

describe('a position in one symbol', () => {
  const ten = size({ quantity: '10' })
  test('may reach its limit, not pass it', () => {
    expect([refused(ten, orderOf({ quantity: '10' })), refused(ten, orderOf({ quantity: '10.01' }))]).toEqual([
      null,
      `at most 10 in ${SYMBOL}; with this order 10.01`,
    ])
  })

  test('is what is held and what waits on that side, counted as filled', () => {
    const account = {
      positions: [positionOf('4')],
      orders: [orderOf({ id: 'o1', quantity: '5', filled: '2', price: '90' })],
    }
    expect(refused(ten, orderOf({ quantity: '3' }), account)).toBeNull()
    expect(refused(ten, orderOf({ quantity: '4' }), account)).toEndWith('with this order 11')
  })

  test('the other side is its own: what an order closes is none of it', () => {
    const account = { positions: [positionOf('4')] }
    expect(refused(ten, orderOf({ side: 'sell', quantity: '14' }), account)).toBeNull()
    expect(refused(ten, orderOf({ side: 'sell', quantity: '15' }), account)).toEndWith('with this order 11')
    expect(refused(ten, orderOf({ quantity: '7' }), { positions: [positionOf('-4')] })).toBeNull()
  })

  test('other symbols do not count, and a rule for one symbol is for that one', () => {
    const account = { positions: [positionOf('9', '0', 'XXX/USD')] }
    expect(refused(ten, orderOf({ quantity: '10' }), account)).toBeNull()
    expect(refused(size({ quantity: '1', symbol: 'XXX/USD' }), orderOf({ quantity: '10' }))).toBeNull()
    expect(refused(size({ quantity: '1', symbol: SYMBOL }), orderOf({ quantity: '10' }))).toEndWith(
      'with this order 10',
    )
  })

  test('of two legs of which one can be filled one counts: in notional the larger', () => {
    const legs = (first: string, second: string) => [
      orderOf({ id: 'o1', quantity: '5', price: first, oco: 'o2' }),
      orderOf({ id: 'o2', quantity: '5', stop: second, oco: 'o1' }),
    ]
    const orders = legs('80', '120')
    expect(refused(ten, orderOf({ quantity: '5' }), { orders })).toBeNull()
    expect(refused(ten, orderOf({ quantity: '6' }), { orders })).toEndWith('with this order 11')
    const more = orderOf({ quantity: '1', price: '100', type: 'limit' })
    const notional = (first: string, second: string) =>
      refused(size({ notional: '0' }), more, { orders: legs(first, second) })
    expect([notional('80', '120'), notional('120', '80'), notional('90', '90')]).toEqual([
      expect.stringMatching(/with this order 7000$/),
      expect.stringMatching(/with this order 7000$/),
      expect.stringMatching(/with this order 5500$/),
    ])
  })
})

describe('a position by its notional', () => {
  test('an order counts at its own price, a stop at its trigger, a market order at the touch it takes', () => {
    const limit = (notional: string) => size({ notional })
    const at = (order: Order) => [refused(limit('9999.99'), order) !== null, refused(limit('10000'), order) !== null]
    expect(at(orderOf({ quantity: '10', price: '100', type: 'limit' }))).toEqual([true, false])
    expect(at(orderOf({ quantity: '10', stop: '100', type: 'stop' }))).toEqual([true, false])
    expect(refused(limit('1010'), orderOf({ quantity: '1' }))).toBeNull()
    expect(refused(limit('1009.99'), orderOf({ quantity: '1' }))).toBe(
      `at most 1009.99 USD in ${SYMBOL}; with this order 1010`,
    )
    expect(refused(limit('989.99'), orderOf({ quantity: '1', side: 'sell' }))).toEndWith('with this order 990')
  })

  test('what is held counts at the mark that values it, orders that wait at theirs', () => {
    const none = size({ notional: '0' })
    const more = orderOf({ quantity: '1', price: '100', type: 'limit' })
    expect(refused(none, more, { positions: [positionOf('2')] })).toEndWith('with this order 2980')
    expect(refused(none, { ...more, side: 'sell' }, { positions: [positionOf('-2')] })).toEndWith(
      'with this order 3020',
    )
    const waits = (order: Partial<Order>) => ({ orders: [{ ...orderOf({ id: 'o1', quantity: '1' }), ...order }] })
    expect(refused(none, more, waits({ price: dec('90') }))).toEndWith('with this order 1900')
    expect(refused(none, more, waits({ stop: dec('110') }))).toEndWith('with this order 2100')
    expect(refused(none, more, waits({}))).toEndWith('with this order 2010')
    expect(refused(none, { ...more, side: 'sell' }, waits({ side: 'sell' }))).toEndWith('with this order 1990')
  })

  test('in account currency, at the worse side of its rate', () => {
    const order = orderOf({ symbol: 'EUR/JPY', quantity: '100' })
    expect(refused(size({ notional: '0' }), order)).toEndWith('with this order 160')
  })
})

describe('all symbols together', () => {
  const all = (more: Partial<MaxPositionSizeRule>) => size({ per: 'all', ...more })
  test('the larger side of each, in quantity or notional', () => {
    const account = {
      positions: [positionOf('-4'), positionOf('3', '0', 'XXX/USD')],
      orders: [orderOf({ id: 'o1', symbol: 'XXX/USD', side: 'sell', quantity: '9', price: '20' })],
    }
    // 4 short here against the 5 that this order would make of it; 6 short there against 3 long
    expect(refused(all({ quantity: '0' }), orderOf({ quantity: '9' }), account)).toBe(
      'at most 0 in all; with this order 11',
    )
    expect(refused(all({ quantity: '11' }), orderOf({ quantity: '9' }), account)).toBeNull()
    expect(refused(all({ notional: '0' }), orderOf({ quantity: '9', price: '100', type: 'limit' }), account)).toBe(
      'at most 0 USD in all; with this order 5120',
    )
  })

  test('exposure in all is the same in notional', () => {
    const refusal = (notional: string) => {
      const { request, facts } = asked(orderOf({ quantity: '1' }), { positions: [positionOf('10', '0', 'XXX/USD')] })
      return maxTotalExposure.refuse!(
        { rule: 'max_total_exposure', notional, effect: 'gate' },
        request,
        facts,
        newRuleState(),
      )
    }
    expect(refusal('1200')).toBeNull()
    expect(refusal('1199.99')).toEqual({
      detail: 'at most 1199.99 USD in all; with this order 1200',
      field: 'quantity',
    })
  })

  test('what is held is served beside what is left', () => {
    const { facts } = asked(orderOf({ quantity: '1' }), {
      positions: [positionOf('-4'), positionOf('3', '0', 'XXX/USD')],
    })
    const shown = (rule: MaxPositionSizeRule) => {
      const { value, limit, remaining } = maxPositionSize.standing!(rule, facts, newRuleState(), quoteOf)
      return [value, limit, remaining].map((d) => (typeof d === 'string' ? d : str(d)))
    }
    expect(shown(size({ quantity: '10' }))).toEqual(['4', '10', '6'])
    expect(shown(size({ quantity: '10', symbol: 'XXX/USD' }))).toEqual(['3', '10', '7'])
    expect(shown(size({ quantity: '10', per: 'all' }))).toEqual(['7', '10', '3'])
    expect(shown(size({ notional: '5000', per: 'all' }))).toEqual(['4097', '5000', '903'])
    const exposure = maxTotalExposure.standing!(
      { rule: 'max_total_exposure', notional: '4000', effect: 'gate' },
      facts,
      newRuleState(),
      quoteOf,
    )
    expect(str(exposure.remaining as ReturnType<typeof dec>)).toBe('-97')
  })
})

test('orders that wait are served as filled', () => {
  const account = {
    positions: [positionOf('2')],
    orders: [
      orderOf({ id: 'o1', quantity: '3', price: '90', type: 'limit' }),
      orderOf({ id: 'o2', symbol: 'XXX/USD', quantity: '4', price: '20', type: 'limit' }),
      orderOf({ id: 'o3', side: 'sell', quantity: '2', price: '120', type: 'limit' }),
    ],
  }
  const { facts } = asked(orderOf({ quantity: '1' }), account)
  const value = (rule: Rule) =>
    kindOf(rule).standing!(rule, facts, { ...newRuleState(), allowed: dec('9') }, quoteOf).value
  const text = (rule: Rule) => str(value(rule) as Dec)
  expect([text(size({ quantity: '9' })), text(size({ quantity: '9', symbol: 'XXX/USD' }))]).toEqual(['5', '4'])
  expect(text(size({ quantity: '9', per: 'all' }))).toBe('9')
  expect(text({ rule: 'max_total_exposure', notional: '9', effect: 'gate' })).toBe('4760')
  expect(text({ rule: 'scaling_plan', base: '9', steps: [], keeps: false, effect: 'gate' })).toBe('9')
  expect(text({ rule: 'max_open_positions', n: 9, effect: 'gate' })).toBe('2')
})

describe('hedging', () => {
  const text = { spec: { position_mode: 'hedging' as const } }
  const positions = [positionOf('4'), positionOf('-3', '0', SYMBOL, 'o2')]
  test('tickets of both sides add up, held and waiting', () => {
    const orders = [orderOf({ id: 'o3', side: 'sell', quantity: '2', price: '120', type: 'limit' })]
    const order = orderOf({ quantity: '1' })
    expect(refused(size({ quantity: '10' }), order, { text, positions, orders })).toBeNull()
    expect(refused(size({ quantity: '9.9' }), order, { text, positions, orders })).toEndWith('with this order 10')
    expect(refused(size({ quantity: '0', per: 'all' }), order, { text, positions, orders })).toEndWith(
      'with this order 10',
    )
    const { facts } = asked(order, { text, positions })
    expect(str(maxPositionSize.standing!(size({ quantity: '10' }), facts, newRuleState(), quoteOf).value as Dec)).toBe(
      '7',
    )
  })
})

test('what is held counts at its mark with the mark-up of the account', () => {
  const spec = { instruments: [instrument(SYMBOL, { contract_size: '10', spread_markup_ticks: '100' })] }
  const held = (quantity: string) => {
    const { facts } = asked(orderOf({ quantity: '1' }), { text: { spec }, positions: [positionOf(quantity)] })
    return str(maxPositionSize.standing!(size({ notional: '1' }), facts, newRuleState(), quoteOf).value as Dec)
  }
  expect([held('1'), held('-1')]).toEqual(['980', '1020'])
})

describe('positions at once', () => {
  function refusal(n: number, order: Order, account: Account = {}): string | null {
    const { request, facts } = asked(order, account)
    const rule = { rule: 'max_open_positions' as const, n, effect: 'gate' as const }
    return maxOpenPositions.refuse!(rule, request, facts, newRuleState())?.detail ?? null
  }
  const xxx = orderOf({ symbol: 'XXX/USD', quantity: '1' })

  test('netting: one for each symbol, held or waiting', () => {
    expect(refusal(1, xxx)).toBeNull()
    expect(refusal(1, xxx, { positions: [positionOf('1')] })).toBe('at most 1 positions at once; with this order 2')
    expect(refusal(2, xxx, { positions: [positionOf('1')] })).toBeNull()
    const waiting = { orders: [orderOf({ id: 'o1', quantity: '1', price: '90' })] }
    expect([refusal(1, xxx, waiting) !== null, refusal(2, xxx, waiting)]).toEqual([true, null])
  })

  test('netting: more of a symbol that is held or waits opens none', () => {
    expect(refusal(1, orderOf({ quantity: '1' }), { positions: [positionOf('1')] })).toBeNull()
    expect(
      refusal(1, orderOf({ quantity: '1' }), { orders: [orderOf({ id: 'o1', quantity: '1', price: '90' })] }),
    ).toBeNull()
  })

  test('an order that only closes opens none, and one that waits to close does not count', () => {
    const held = { positions: [positionOf('5')] }
    expect(refusal(0, orderOf({ side: 'sell', quantity: '5' }), held)).toBeNull()
    const closing = [orderOf({ id: 'o1', side: 'sell', quantity: '5', price: '120' })]
    expect(refusal(2, xxx, { ...held, orders: closing })).toBeNull()
  })

  test('hedging: every ticket and every order that waits to open one', () => {
    const text = { spec: { position_mode: 'hedging' as const } }
    const order = orderOf({ quantity: '1' })
    expect(refusal(1, order, { text, positions: [positionOf('1')] })).toEndWith('with this order 2')
    expect(refusal(2, order, { text, positions: [positionOf('1')] })).toBeNull()
    const orders = [orderOf({ id: 'o2', quantity: '3', price: '90' })]
    expect(refusal(2, order, { text, positions: [positionOf('1')], orders })).toEndWith('with this order 3')
    // its first part is a ticket already
    const partly = [orderOf({ id: 'o2', quantity: '3', filled: '1', price: '90' })]
    expect(refusal(2, order, { text, positions: [positionOf('1', '0', SYMBOL, 'o2')], orders: partly })).toBeNull()
  })

  test('of two legs one opens a position', () => {
    const text = { spec: { position_mode: 'hedging' as const } }
    const orders = [
      orderOf({ id: 'o1', quantity: '3', price: '90', oco: 'o2' }),
      orderOf({ id: 'o2', quantity: '3', stop: '120', oco: 'o1' }),
    ]
    expect(refusal(2, orderOf({ quantity: '1' }), { text, orders })).toBeNull()
    expect(refusal(1, orderOf({ quantity: '1' }), { text, orders })).toEndWith('with this order 2')
    const begun = [{ ...orders[0]!, filled: dec('1') }, orders[1]!]
    const positions = [positionOf('1')]
    expect(refusal(2, orderOf({ quantity: '1' }), { text, orders: begun, positions })).toBeNull()
  })
})

describe('scaling plan', () => {
  const plan: ScalingPlanRule = {
    rule: 'scaling_plan',
    base: '5',
    steps: [{ above: '52600', max: '10' }],
    keeps: true,
    effect: 'gate',
  }
  const text = (balance: string): FactsText => ({ initial: '50000', balance, spec: SPEC })
  const ended = (rule: ScalingPlanRule, ...balances: string[]) => {
    const state = newRuleState()
    scalingPlan.open!(rule, factsOf(text('50000')), state)
    return [
      str(state.allowed!),
      ...balances.map((balance) => {
        scalingPlan.endDay!(rule, factsOf(text(balance)), state)
        return str(state.allowed!)
      }),
    ]
  }

  test('vector 26: 5 contracts until a day ends above 52,600, then 10, and 10 stays after a loss', () => {
    expect(ended(plan, '52600', '52601', '50000')).toEqual(['5', '5', '10', '10'])
    expect(ended({ ...plan, keeps: false }, '52600.01', '52600')).toEqual(['5', '10', '5'])
  })

  test('the highest step below the balance counts', () => {
    const steps = [
      { above: '51000', max: '7' },
      { above: '52000', max: '9' },
    ]
    expect(ended({ ...plan, steps, keeps: false }, '51000.01', '53000', '52000')).toEqual(['5', '7', '9', '7'])
  })

  test('the largest size is of all symbols, may be reached, and is not raised within a day', () => {
    const refusal = (quantity: string) => {
      const { request, facts } = asked(orderOf({ quantity }), {
        positions: [positionOf('-2', '0', 'XXX/USD')],
        text: { balance: '99000000' },
      })
      return scalingPlan.refuse!(plan, request, facts, { ...newRuleState(), allowed: dec('5') })?.detail ?? null
    }
    expect([refusal('3'), refusal('3.5')]).toEqual([null, 'at most 5 in all today; with this order 5.5'])
  })

  test('what is held is served beside what is left', () => {
    const { facts } = asked(orderOf({ quantity: '1' }), { positions: [positionOf('-2')] })
    const { value, remaining } = scalingPlan.standing!(plan, facts, { ...newRuleState(), allowed: dec('5') }, quoteOf)
    expect([value, remaining].map((d) => (typeof d === 'string' ? d : str(d)))).toEqual(['2', '3'])
  })
})
