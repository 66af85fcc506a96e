import { describe, expect, test } from 'bun:test'
import { instrument, spec, World } from '../../../testing/world.ts'
import type { AccountSpec, OrderBody } from '../types.ts'

const at = (second: number): string => `2024-03-04T08:00:${String(second).padStart(2, '0')}Z`
const quoted = (more: Partial<AccountSpec> = {}): World =>
  new World(spec([], more)).start(at(0)).quote(at(1), '99.00', '101.00')
const EXITS: Partial<OrderBody> = { take_profit: { price: '110.00' }, stop_loss: { stop_price: '90.00' } }
const born = (w: World) => w.of('order').flatMap((r) => (r.status === 'working' ? [r.view!] : []))

describe('birth', () => {
  test('exits are born with the first fill of the entry, as large as what is filled, reduce-only, each the other one', () => {
    const w = quoted()
    const placed = w.order({ type: 'market', ...EXITS })
    const id = placed.ok ? placed.order!.id : ''
    expect(placed).toMatchObject({ order: { status: 'filled' }, legs: [{ id: `${id}.tp` }, { id: `${id}.sl` }] })
    expect(born(w)).toMatchObject([
      {
        id: `${id}.tp`,
        side: 'sell',
        type: 'limit',
        price: '110',
        quantity: '10',
        reduce_only: true,
        parent: id,
        oco: `${id}.sl`,
        time_in_force: 'gtc',
      },
      {
        id: `${id}.sl`,
        side: 'sell',
        type: 'stop',
        stop_price: '90',
        quantity: '10',
        reduce_only: true,
        parent: id,
        oco: `${id}.tp`,
      },
    ])
  })

  test('they grow with further fills of the entry', () => {
    const w = quoted()
    w.order({ price: '100.00', ...EXITS })
    w.quote(at(2), '99.00', '100.00', { ask_size: '4' })
    expect(w.working).toEqual(['#1 6', '#1.tp 4', '#1.sl 4'])
    w.quote(at(3), '99.00', '99.90', { ask_size: '3' })
    expect(w.working).toEqual(['#1 3', '#1.tp 7', '#1.sl 7'])
    expect(w.of('order').at(-1)).toMatchObject({ status: 'amended', reason: 'entry', view: { quantity: '7' } })
  })

  test('children born in an event take no part in it', () => {
    const w = quoted()
    w.order({ price: '100.00', take_profit: { price: '100.50' }, stop_loss: { stop_price: '99.50' } })
    // the print fills the entry while the bid is beyond both exits
    w.quote(at(2), '99.40', '101.00')
    w.trade(at(3), '99.90', '10', 'sell')
    expect(w.fills).toEqual(['#1 buy 10 @ 100 maker'])
    w.quote(at(4), '99.45', '101.00')
    expect(w.fills[1]).toBe('#1.sl sell 10 @ 99.45 taker')
  })

  test('nor do those of an entry that is still working', () => {
    const w = quoted()
    w.order({ price: '100.00', take_profit: { price: '100.50' } })
    const trade = { kind: 'trade' as const, symbol: 'TST/USD', price: '99.90', size: '4', side: 'sell' as const }
    w.tick(at(2), { ...trade, bid: '100.60', ask: '102.00' })
    expect(w.fills).toEqual(['#1 buy 4 @ 100 maker'])
    w.quote(at(3), '100.60', '102.00')
    expect(w.fills[1]).toBe('#1.tp sell 4 @ 100.5 maker')
  })

  test('a stop-limit exit and a trailing exit are orders like any other', () => {
    const limited = quoted()
    limited.order({ type: 'market', stop_loss: { stop_price: '95.00', price: '94.00' } })
    expect(born(limited)).toMatchObject([{ type: 'stop_limit', stop_price: '95', price: '94' }])
    expect(born(limited)[0]!.oco).toBeUndefined()
    const trailing = quoted()
    trailing.order({ type: 'market', stop_loss: { trail: { offset: '5.00' } } })
    trailing.quote(at(2), '109.00', '111.00').quote(at(3), '104.00', '106.00')
    expect(trailing.fills[1]).toBe('#1.sl sell 10 @ 104 taker')
  })

  test('exits of a stop entry are born when it triggers and fills', () => {
    const w = quoted()
    w.order({ type: 'stop', stop_price: '105.00', take_profit: { price: '120.00' } })
    expect(w.working).toEqual(['#1 10'])
    w.quote(at(2), '104.00', '106.00')
    expect(w.working).toEqual(['#1.tp 10'])
  })
})

describe('exit', () => {
  test('a fill of one exit shrinks the other by as much', () => {
    const w = quoted()
    w.order({ type: 'market', ...EXITS })
    w.quote(at(2), '110.00', '111.00', { bid_size: '4' })
    expect(w.fills[1]).toBe('#1.tp sell 4 @ 110 maker')
    expect(w.working).toEqual(['#1.tp 6', '#1.sl 6'])
    w.quote(at(3), '89.00', '91.00')
    expect(w.fills[2]).toBe('#1.sl sell 6 @ 89 taker')
    expect(w.ended.slice(-2)).toEqual(['#1.sl filled', '#1.tp cancelled oco'])
    expect([w.state.book.positions, w.working]).toEqual([[], []])
  })

  test('when an exit has filled wholly, what is left of the entry is cancelled bracket_exited', () => {
    const w = quoted()
    w.order({ price: '100.00', ...EXITS })
    w.quote(at(2), '99.00', '100.00', { ask_size: '4' })
    w.quote(at(3), '110.00', '111.00')
    expect(w.fills[1]).toBe('#1.tp sell 4 @ 110 maker')
    expect(w.ended).toEqual(['#1.tp filled', '#1.sl cancelled oco', '#1 cancelled bracket_exited'])
  })

  test('closed by another order, both exits go and the rest of the entry with them', () => {
    const w = quoted()
    w.order({ price: '100.00', ...EXITS })
    w.quote(at(2), '99.00', '100.00', { ask_size: '4' })
    w.command({ op: 'close', position: 'TST/USD' })
    expect(w.ended.slice(-3)).toEqual([
      '#1.tp cancelled nothing_to_reduce',
      '#1.sl cancelled nothing_to_reduce',
      '#1 cancelled bracket_exited',
    ])
    expect(w.working).toEqual([])
  })

  test('cancelling one exit by hand leaves the other, which then stands alone', () => {
    const w = quoted()
    const placed = w.order({ type: 'market', ...EXITS })
    const id = placed.ok ? placed.order!.id : ''
    expect(w.command({ op: 'cancel', order: `${id}.tp` })).toMatchObject({ ok: true, cancelled: [`${id}.tp`] })
    expect(w.working).toEqual(['#1.sl 10'])
    expect(w.state.orders[0]!.oco).toBeNull()
  })

  test('an entry that only reduced the other side leaves its exits nothing to reduce', () => {
    const w = quoted()
    w.sell('20')
    w.order({ type: 'market', ...EXITS })
    expect(w.working).toEqual([])
    expect(w.ended.slice(-2)).toEqual(['#2.tp cancelled nothing_to_reduce', '#2.sl cancelled nothing_to_reduce'])
  })

  test('an exit never sells more than is held, however the position shrank', () => {
    const w = quoted()
    w.order({ type: 'market', ...EXITS })
    w.sell('7')
    w.quote(at(2), '89.00', '91.00')
    expect(w.fills.at(-1)).toBe('#1.sl sell 3 @ 89 taker')
    expect(w.state.book.positions).toEqual([])
  })

  test('the entry cancelled by hand leaves its exits', () => {
    const w = quoted()
    const placed = w.order({ price: '100.00', ...EXITS })
    w.quote(at(2), '99.00', '100.00', { ask_size: '4' })
    w.command({ op: 'cancel', order: placed.ok ? placed.order!.id : '' })
    expect(w.working).toEqual(['#1.tp 4', '#1.sl 4'])
  })
})

describe('consistency', () => {
  const inconsistent = (field: string) => ({ ok: false, code: 'bracket_inconsistent', field })

  test("a buy's stop is below its price and its profit above; at the price itself is refused", () => {
    const w = quoted()
    const entry = { price: '100.00' }
    expect(w.order({ ...entry, take_profit: { price: '100.00' } })).toMatchObject(inconsistent('take_profit.price'))
    expect(w.order({ ...entry, stop_loss: { stop_price: '100.00' } })).toMatchObject(
      inconsistent('stop_loss.stop_price'),
    )
    expect(w.order({ ...entry, take_profit: { price: '100.01' }, stop_loss: { stop_price: '99.99' } }).ok).toBe(true)
  })

  test('a sell mirrored', () => {
    const w = quoted()
    const entry = { side: 'sell' as const, price: '102.00' }
    expect(w.order({ ...entry, take_profit: { price: '102.00' } })).toMatchObject(inconsistent('take_profit.price'))
    expect(w.order({ ...entry, stop_loss: { stop_price: '102.00' } })).toMatchObject(
      inconsistent('stop_loss.stop_price'),
    )
    expect(w.order({ ...entry, take_profit: { price: '101.99' }, stop_loss: { stop_price: '102.01' } }).ok).toBe(true)
  })

  test('a market order is held against the touch that it takes, a stop against its stop price', () => {
    const w = quoted()
    expect(w.order({ type: 'market', take_profit: { price: '101.00' } })).toMatchObject(
      inconsistent('take_profit.price'),
    )
    const stop = { type: 'stop' as const, stop_price: '105.00' }
    expect(w.order({ ...stop, stop_loss: { stop_price: '105.00' } })).toMatchObject(
      inconsistent('stop_loss.stop_price'),
    )
    expect(w.order({ ...stop, stop_loss: { stop_price: '104.99' } }).ok).toBe(true)
  })

  test('exits are on the price grid', () => {
    const w = quoted()
    expect(w.order({ price: '100.00', take_profit: { price: '110.001' } })).toMatchObject({
      code: 'price_off_grid',
      field: 'take_profit.price',
      nearest: '110',
    })
    expect(w.order({ price: '100.00', stop_loss: { trail: { offset: '0.005' } } })).toMatchObject({
      code: 'price_off_grid',
      field: 'stop_loss.trail.offset',
    })
  })

  test('exits that are not born yet count towards the most orders that may work', () => {
    const w = quoted({ instruments: [instrument('TST/USD')] })
    for (let i = 0; i < 66; i++)
      w.order({ price: '50.00', quantity: '1', take_profit: { price: '300.00' }, stop_loss: { stop_price: '1.00' } })
    expect(w.state.orders).toHaveLength(66)
    expect(w.order({ price: '50.00', quantity: '1', ...EXITS, stop_loss: { stop_price: '1.00' } })).toMatchObject({
      code: 'too_many_orders',
    })
    expect(w.order({ price: '50.00', quantity: '1', take_profit: { price: '300.00' } })).toMatchObject({ ok: true })
  })
})
