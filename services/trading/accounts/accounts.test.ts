import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { parseTier } from '@assay/core/contracts/wire/tier'
import type { ChannelEvent } from '@assay/core/kernel/channel'
import { until } from '@assay/core/testing/until'
import { openWorld, type World } from '../testing/world.ts'
import { seedTiers } from '../tiers/seed-tiers.ts'

const TRADER = 'trader:ada'
let world: World
let minute = 0
/** the next minute of market time */
const next = () => new Date(Date.parse('2024-03-01T09:00:30Z') + minute++ * 60_000).toISOString()
const btc = (bid: string, ask: string) => world.quote(next(), bid, ask)

beforeAll(async () => {
  world = await openWorld()
  const rules = [
    { rule: 'profit_target', pct: '1' },
    { rule: 'max_daily_loss', anchor: 'balance', limit: { pct: '3' } },
    { rule: 'max_loss', limit: { pct: '6' } },
  ]
  const phases = [
    { kind: 'evaluation', rules },
    { kind: 'evaluation', rules },
  ]
  const twoPhases = parseTier({ name: 'two phases', currency: 'USD', initial_balance: '10000', leverage: '1', phases })
  await seedTiers(world.deps.db, 'default', { 'two-phases': twoPhases })
  await btc('60000', '60001')
})
afterAll(() => world.close())

async function account(tier = 'demo-usd') {
  const id = await world.started(TRADER, tier)
  const caller = world.as(TRADER)
  const get = async (path: string) => (await caller.get(`/api/assessments/${id}${path}`)).body
  const trade = async (side: string, quantity: string) => {
    const { status, body } = await caller.post(`/api/assessments/${id}/orders`, {
      symbol: 'BTC/USD',
      side,
      type: 'market',
      quantity,
    })
    if (status !== 201) throw new Error(JSON.stringify(body))
    return body
  }
  return { id, get, trade }
}

describe('a breach', () => {
  test('shows in rules, violations, account and journal, each with the mseq that decided', async () => {
    const { id, get, trade } = await account()
    await trade('buy', '0.15')
    const before = await get('/rules')
    expect(before).toMatchObject({ provisional: false, unknown_symbols: [] })
    expect(before.items.map(({ rule }: { rule: string }) => rule)).toEqual([
      'profit_target',
      'max_daily_loss',
      'max_loss',
    ])
    expect(before.items[1]).toMatchObject({ limit: '9700.00', met: null, compare: 'lt', effect: 'hard' })
    await btc('57000', '57001')
    const [violation, ...others] = (await get('/violations')).items
    expect(others).toEqual([])
    expect(violation).toMatchObject({
      rule: 'max_daily_loss',
      limit: '9700',
      phase: 0,
      provisional: false,
      withdrawn_aseq: null,
    })
    expect(violation.marks).toMatchObject([{ symbol: 'BTC/USD', bid: '57000', mseq: violation.mseq }])
    expect(await get('')).toMatchObject({
      id,
      status: 'failed',
      phases: [{ verdict: 'failed', rule: 'max_daily_loss' }],
    })
    expect((await get('/positions')).items).toEqual([])
    const kinds = (await get('/journal')).items.map(({ kind }: { kind: string }) => kind)
    expect(kinds).toContain('verdict')
    await btc('60000', '60001')
  })
})

describe('every rule of the rule book', () => {
  const zone = 'America/New_York'
  const rules = [
    { rule: 'profit_target', pct: '90' },
    { rule: 'max_daily_loss', anchor: 'day_high', limit: { pct: '50', of: 'anchor' }, effect: 'flag' },
    { rule: 'daily_profit_cap', anchor: 'balance', limit: { amount: '9000' } },
    { rule: 'max_loss', mode: 'intraday_equity', limit: { ratio: '0.02' }, lock: { at: 'target' } },
    { rule: 'min_trading_days', n: 4, counts: 'moved', pct: '1' },
    { rule: 'winning_days', n: 5, amount: '200' },
    { rule: 'time_limit', days: 30, unit: 'trading', from: 'first_fill' },
    { rule: 'inactivity', days: 30, effect: 'flag' },
    { rule: 'consistency', basis: 'total', share: '0.4' },
    { rule: 'max_position_size', symbol: 'BTC/USD', quantity: '1' },
    { rule: 'max_open_positions', n: 3 },
    { rule: 'max_orders_per_day', n: 200 },
    { rule: 'max_total_exposure', notional: '1000000' },
    { rule: 'scaling_plan', base: '3', steps: [{ above: '10100', max: '5' }] },
    { rule: 'allowed_symbols', symbols: ['BTC/USD'] },
    { rule: 'allowed_sides', sides: ['buy', 'sell'] },
    { rule: 'allowed_sessions', zone: 'UTC', windows: [{ days: [5], from: '00:00', to: '24:00' }] },
    { rule: 'max_risk_per_trade', pct: '90', needs_stop: true, within_s: 600, effect: 'flag' },
    { rule: 'max_risk_per_idea', pct: '90' },
    { rule: 'max_open_loss', pct: '90' },
    { rule: 'min_holding_time', seconds: 60, share: '0.5' },
    { rule: 'weekend_flat', time: '16:45', zone, effect: 'flag' },
    { rule: 'session_flat', minutes: 10, effect: 'flag' },
    { rule: 'news_window', calendar: 'events', before_s: 1, after_s: 1, forbids: ['open'] },
    { rule: 'detectors', detect: ['grid'] },
  ]
  test('is served with where it stands, flat and with a position, and explained', async () => {
    const calendars = [{ kind: 'news', name: 'events', events: [] }]
    const shared = { currency: 'USD', initial_balance: '10000', leverage: '1', calendars }
    const all = parseTier({ name: 'all', ...shared, phases: [{ kind: 'evaluation', rules }] })
    await seedTiers(world.deps.db, 'default', { all })
    const { get, trade } = await account('all')
    const names = async () => (await get('/rules')).items.map(({ rule }: { rule: string }) => rule)
    expect(await names()).toEqual(rules.map(({ rule }) => rule))
    await trade('buy', '0.01')
    expect(await names()).toEqual(rules.map(({ rule }) => rule))
    const { items } = await get('/rules')
    expect(items[3]).toMatchObject({ metric: 'equity', prices: [{ symbol: 'BTC/USD' }] })
    expect(await get('/account')).toMatchObject({ lock: null, pauses: { count: 0, until: null } })
    const why = await get('/explain')
    expect(why.standing.map(({ rule }: { rule: string }) => rule)).toEqual(rules.map(({ rule }) => rule))
    expect(why.equity.lines).toMatchObject([{ symbol: 'BTC/USD', quantity: '0.01' }])
    await trade('sell', '0.01')
  })
})

describe('equity over time', () => {
  test('has the booked balance and the equity at the quote before each full minute, from the log', async () => {
    const { get, trade } = await account()
    await trade('buy', '0.1')
    await btc('60100', '60101')
    await btc('59900', '59901')
    await trade('sell', '0.1')
    await btc('70000', '70001')
    const { items, resolution } = await get('/equity?resolution=1m')
    expect(resolution).toBe('1m')
    const values = items.map(({ balance, equity }: { balance: string; equity: string }) => [balance, equity])
    // 0.1 at 60001 costs 2.40; worth 60000, then 60100, then 59900; the sale books -10.10 and 2.40
    expect(values).toEqual([
      ['10000.00', '10000.00'],
      ['9997.60', '9997.50'],
      ['9997.60', '10007.50'],
      ['9985.10', '9985.10'],
      ['9985.10', '9985.10'],
    ])
    expect(new Date(items[1].at).getUTCSeconds()).toBe(0)
    const part = await get(`/equity?resolution=1m&from=${items[2].at}&to=${items[3].at}`)
    expect(part.items.map(({ at }: { at: string }) => at)).toEqual([items[3].at])
    await btc('60000', '60001')
  })
  test('refuses more points than it gives, and times that are none, by field', async () => {
    const { id } = await account()
    const path = `/api/assessments/${id}/equity`
    const bad = await world.as(TRADER).get(`${path}?from=yesterday`)
    expect([bad.status, bad.body.field]).toEqual([422, 'from'])
    expect((await world.as(TRADER).get(`${path}?resolution=2m`)).body.field).toBe('resolution')
  })
})

describe('phases', () => {
  test('reads of an ended phase stay as it ended, the next one starts afresh', async () => {
    const { get, trade } = await account('two-phases')
    await trade('buy', '0.1')
    await btc('61200', '61201')
    await trade('sell', '0.1')
    const assessment = await get('')
    expect(assessment.phases.map(({ phase, status }: { phase: number; status: string }) => [phase, status])).toEqual([
      [0, 'passed'],
      [1, 'opened'],
    ])
    expect(await get('/account')).toMatchObject({ phase: 1, balance: '10000.00', status: 'started' })
    const ended = await get('/account?phase=0')
    expect(ended).toMatchObject({ phase: 0, status: 'passed', day: null })
    expect(Number(ended.balance)).toBeGreaterThan(10_100)
    expect((await get('/trades')).items).toEqual([])
    expect((await get('/trades?phase=0')).items).toHaveLength(2)
    expect((await get('/orders?phase=0&status=filled')).items).toHaveLength(2)
    const rules = await get('/rules?phase=0')
    expect(rules.items[0]).toMatchObject({ rule: 'profit_target', met: true, value: null })
    expect(rules.items[2]).toMatchObject({ rule: 'max_loss', limit: '9400' })
    expect((await get('/positions?phase=0')).items).toEqual([])
    expect((await get('/equity?phase=0')).items.at(-1).balance).toBe(ended.balance)
    expect(await get('/account?phase=2')).toMatchObject({ code: 'not_found', field: 'phase' })
    await btc('60000', '60001')
  })
})

describe('the journal', () => {
  test('is read in order, page by page, without a hole; a cursor that is none is refused', async () => {
    const { get, trade } = await account()
    await trade('buy', '0.01')
    const all = (await get('/journal')).items
    const paged: unknown[] = []
    for (let path = '/journal?limit=2'; ; ) {
      const page = await get(path)
      paged.push(...page.items)
      if (page.next === null) break
      path = `/journal?limit=2&cursor=${page.next}`
    }
    expect(paged).toEqual(all)
    expect(all.map(({ aseq }: { aseq: number }) => aseq)).toEqual(all.map((_: unknown, i: number) => i))
    expect(all[0]).toMatchObject({ kind: 'header', record: { currency: 'USD' } })
    expect(all[1].envelope).toMatchObject({ request_id: expect.any(String), at: expect.any(String) })
    expect(await get('/journal?cursor=abc')).toMatchObject({ code: 'validation_failed', field: 'cursor' })
  })
})

describe('the channel assessment:<id>', () => {
  const ctxOf = (userId: string) =>
    ({
      requestId: 'r',
      address: '',
      actor: { userId, tenant: 'default', role: 'trader', scopes: ['trading:read'] },
    }) as never
  test('pushes every record once and in order, and marks between them that never run ahead', async () => {
    const { id, get, trade } = await account()
    const snapshot = await world.channel.snapshot(ctxOf('ada'), id)
    const heard: ChannelEvent[] = []
    const stop = world.channel.listen(id, (event) => heard.push(event))
    await trade('buy', '0.01')
    await btc('60100', '60101')
    await until('a mark at the new price', () =>
      heard.some(
        ({ kind, data }) =>
          kind === 'mark' && (data as { positions: { mark: string }[] }).positions[0]?.mark === '60100',
      ),
    )
    stop()
    const events = heard.filter(({ kind }) => kind === 'event')
    const { items } = await get('/journal')
    expect(events.map(({ data }) => data)).toEqual(
      items.slice(snapshot.seq + 1).map(({ record }: { record: unknown }) => record),
    )
    let last = snapshot.seq
    for (const event of heard) {
      if (event.kind === 'event') last = event.seq
      else expect(event.seq).toBeLessThanOrEqual(last)
    }
    expect(await world.channel.since(id, snapshot.seq)).toEqual(events)
    await trade('sell', '0.01')
    expect(heard.filter(({ kind }) => kind === 'event')).toHaveLength(events.length)
    await btc('60000', '60001')
  })
  test('is nobody else’s', async () => {
    const { id } = await account()
    await world.channel.authorize(ctxOf('ada'), id)
    expect(world.channel.authorize(ctxOf('bob'), id)).rejects.toThrow('No such assessment')
    expect(world.channel.parse('a b')).toBeNull()
  })
})

describe('instruments', () => {
  test('are found by name in either spelling, each with version and content hash', async () => {
    const anyone = world.as('')
    const one = await anyone.get('/api/instruments/BTC-USD')
    expect(one.body).toMatchObject({ symbol: 'BTC/USD', version: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect((await anyone.get('/api/instruments/BTC%2FUSD')).body).toEqual(one.body)
    expect((await anyone.get('/api/instruments/NOPE-USD')).status).toBe(404)
    const fx = (await anyone.get('/api/instruments?kind=fx')).body.items
    expect(fx.every(({ kind }: { kind: string }) => kind === 'fx')).toBe(true)
  })
})
