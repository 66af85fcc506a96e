/** Edge cases that rules.md and reference 3 name, through the same door as `assay backtest`. */
import { afterAll, describe, expect, test } from 'bun:test'
import { daily, daysOf, floorsOf, overall, type Quote, removeVectors, run, T, tradable } from './vector-run.ts'

afterAll(removeVectors)

const buy = (at: string, quantity: string) => [at, 'buy', quantity] as [string, 'buy', string]
const sell = (at: string, quantity: string) => [at, 'sell', quantity] as [string, 'sell', string]
const target = (amount: string, more: object = {}) => ({ rule: 'profit_target', amount, ...more })
const days = (n: number, more: object = {}) => ({ rule: 'min_trading_days', n, counts: 'opened', ...more })

describe('the day', () => {
  test('a roll during an open position sets the new floor under it', async () => {
    const result = await run(
      [daily({ anchor: 'equity', limit: { amount: '3000' } })],
      [
        [T('04T08:00:00'), '100'],
        [T('04T09:00:00'), '104'],
        [T('05T09:00:00'), '101'],
      ],
      [buy(T('04T08:00:00'), '1000')],
    )
    expect(floorsOf(result)).toEqual(['97000.00', '101000.00'])
    expect(result.verdict).toBe('open')
  })
  test('a missed day end is recomputed at its exact instant, each of several, with the marks before it', async () => {
    const result = await run(
      [overall({ mode: 'eod_equity', limit: { amount: '3000' } })],
      [
        [T('04T08:00:00'), '100'],
        [T('04T22:59:59'), '102'],
        [T('07T12:00:00'), '99.5'],
      ],
      [buy(T('04T08:00:00'), '1000')],
    )
    expect(result.days.map((d) => [d.day, d.equity])).toEqual([
      ['2024-03-05', '102000.00'],
      ['2024-03-06', '102000.00'],
      ['2024-03-07', '102000.00'],
    ])
    expect(floorsOf(result, 'max_loss')).toEqual(['97000.00', '99000.00'])
    expect(result.verdict).toBe('open')
  })
  test('the first day hangs on B0, though the account opened minutes before a reset', async () => {
    const result = await run(
      [daily({ anchor: 'balance', limit: { amount: '3000' } })],
      [
        [T('04T22:55:00'), '100'],
        [T('04T22:58:00'), '97.001'],
        [T('05T08:00:00'), '97.001'],
      ],
      [buy(T('04T22:55:00'), '1000')],
    )
    expect(result).toMatchObject({ verdict: 'open', days: [{ equity: '97001.00' }] })
  })
  test('in the weeks when clocks differ the resets of New York and Prague are two hours apart instead of one', async () => {
    const at = async (zone: string, reset_time: string) => {
      const quotes: Quote[] = [
        ['2024-03-12T08:00:00Z', '100'],
        ['2024-03-13T23:30:00Z', '100'],
      ]
      const rule = daily({ anchor: 'equity', limit: { amount: '5000' } })
      const early: Quote[] = [
        ['2024-03-12T20:59:59Z', '101'],
        ['2024-03-12T21:00:01Z', '102'],
        ['2024-03-12T23:00:01Z', '103'],
      ]
      const result = await run([rule], [quotes[0]!, ...early, quotes[1]!], [buy('2024-03-12T08:00:00Z', '1000')], {
        reset_zone: zone,
        reset_time,
      })
      return result.floors[1]!
    }
    // 17:00 in New York is 21:00 UTC since 10 March; midnight in Prague is 23:00 UTC until the 31st
    expect(await at('America/New_York', '17:00')).toMatchObject({ at: '2024-03-12T21:00:00.000Z', floor: '96000.00' })
    expect(await at('Europe/Prague', '00:00')).toMatchObject({ at: '2024-03-12T23:00:00.000Z', floor: '97000.00' })
  })
  test('a reset at a local time that does not exist comes at the next valid instant, at a doubled one on the first, once', async () => {
    const resets = async (first: string, quotes: Quote[]) => {
      const rule = daily({ anchor: 'equity', limit: { amount: '9000' } })
      const result = await run([rule], [[first, '100'], ...quotes], [buy(first, '1000')], { reset_time: '02:30' })
      return result.floors.slice(1).map(({ at, floor }) => [at, floor])
    }
    // 31 March 2024: 02:00 becomes 03:00 in Prague at 01:00 UTC
    const spring = await resets('2024-03-30T12:00:00Z', [
      ['2024-03-31T00:59:59Z', '101'],
      ['2024-03-31T01:00:00Z', '102'],
      ['2024-04-01T00:29:59Z', '103'],
      ['2024-04-01T00:30:00Z', '104'],
    ])
    expect(spring).toEqual([
      ['2024-03-31T01:00:00.000Z', '92000.00'],
      ['2024-04-01T00:30:00.000Z', '94000.00'],
    ])
    // 27 October 2024: 03:00 becomes 02:00 at 01:00 UTC, so 02:30 is 00:30 UTC and again 01:30 UTC
    const autumn = await resets('2024-10-26T12:00:00Z', [
      ['2024-10-27T00:29:59Z', '101'],
      ['2024-10-27T00:30:00Z', '102'],
      ['2024-10-27T01:30:00Z', '103'],
      ['2024-10-28T01:29:59Z', '104'],
      ['2024-10-28T01:30:00Z', '105'],
    ])
    expect(autumn).toEqual([
      ['2024-10-27T00:30:00.000Z', '92000.00'],
      ['2024-10-28T01:30:00.000Z', '95000.00'],
    ])
  })
  test('a percentage of the anchor shrinks after a loss, one of the initial balance does not', async () => {
    const floors = async (of: string) => {
      const { quotes, trades } = daysOf([-4000])
      return floorsOf(await run([daily({ limit: { pct: '5', of } })], quotes, trades)).at(-1)
    }
    expect([await floors('initial'), await floors('anchor')]).toEqual(['91000.00', '91200.00'])
  })
  test('a partial close and a reversal belong to the day of the close', async () => {
    const result = await run(
      [daily(), { rule: 'winning_days', n: 9, amount: '500' }],
      [
        [T('04T08:00:00'), '100'],
        [T('05T08:00:00'), '101'],
        [T('06T08:00:00'), '101'],
        [T('07T08:00:00'), '101'],
      ],
      [buy(T('04T08:00:00'), '1000'), sell(T('05T08:00:00'), '500'), sell(T('06T08:00:00'), '1000')],
    )
    expect(result.days.map((d) => d.balance)).toEqual(['100000.00', '100500.00', '101000.00'])
  })
})

describe('trailing floors', () => {
  test('the lock is a ceiling on the floor: later peaks change nothing', async () => {
    const result = await run(
      [overall({ mode: 'intraday_equity', limit: { amount: '3000' }, lock: { at: 'initial' } })],
      [
        [T('04T08:00:00'), '100'],
        [T('04T09:00:00'), '103'],
        [T('04T10:00:00'), '110'],
        [T('04T11:00:00'), '100'],
        [T('04T12:00:00'), '99.999'],
      ],
      [buy(T('04T08:00:00'), '1000')],
    )
    expect(floorsOf(result, 'max_loss')).toEqual(['97000.00', '100000.00'])
    expect(result).toMatchObject({ verdict: 'failed', value: '99999.00', limit: '100000.00' })
  })
  test('a lock at the target is B0 + T', async () => {
    const { quotes, trades } = daysOf([9000])
    const rules = [
      target('5000'),
      days(9),
      overall({ mode: 'eod_balance', limit: { amount: '3000' }, lock: { at: 'target' } }),
    ]
    expect(floorsOf(await run(rules, quotes, trades), 'max_loss')).toEqual(['97000.00', '105000.00'])
  })
  test('inside one event fills and fees are booked, then equity is marked, then the floor follows', async () => {
    const result = await run(
      [overall({ mode: 'intraday_equity', limit: { amount: '3000' } })],
      [
        [T('04T08:00:00'), '100'],
        [T('04T09:00:00'), '105'],
      ],
      [
        buy(T('04T08:00:00'), '1000'),
        {
          at: T('04T08:00:00'),
          op: 'order',
          symbol: 'TST/USD',
          side: 'sell',
          type: 'limit',
          quantity: '1000',
          price: '104',
        },
      ],
      { instruments: [tradable('TST/USD', { commission: { bps: '10' } })] },
    )
    // 100,000 - 100 + 4,000 - 104: never the 104,900 of the position at 105
    expect(floorsOf(result, 'max_loss')).toEqual(['97000.00', '100796.00'])
    expect(result.balance).toBe('103796.00')
  })
  test('closed balance moves when profit is realised, not with the open one', async () => {
    const result = await run(
      [overall({ mode: 'closed_balance', limit: { amount: '3000' } })],
      [
        [T('04T08:00:00'), '100'],
        [T('04T09:00:00'), '104'],
        [T('04T10:00:00'), '102'],
      ],
      [buy(T('04T08:00:00'), '1000'), sell(T('04T10:00:00'), '1000')],
    )
    expect(result.floors.map((f) => [f.at, f.floor])).toEqual([
      [T('04T08:00:00.000'), '97000.00'],
      [T('04T10:00:00.000'), '99000.00'],
    ])
  })
  test('a tick that is no new extreme changes nothing', async () => {
    const of = (more: Quote[]) =>
      run(
        [overall({ mode: 'intraday_equity', limit: { amount: '3000' } })],
        [[T('04T08:00:00'), '100'], [T('04T09:00:00'), '102'], ...more, [T('04T11:00:00'), '99.5']],
        [buy(T('04T08:00:00'), '1000')],
      )
    const plain = await of([])
    const more = await of([
      [T('04T09:30:00'), '101.9'],
      [T('04T10:00:00'), '102'],
    ])
    expect([more.verdict, more.value, more.equity, more.floors.map((f) => f.floor)]).toEqual([
      plain.verdict,
      plain.value,
      plain.equity,
      plain.floors.map((f) => f.floor),
    ])
  })
})
