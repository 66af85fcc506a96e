import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type {
  AccountResource,
  JournalItem,
  PositionList,
  RuleList,
  TradeResource,
} from '@assay/core/contracts/wire/account'
import type { AssessmentResource, TransitionResource } from '@assay/core/contracts/wire/assessment'
import type { CancelAnswer, OrderAnswer, OrderResource } from '@assay/core/contracts/wire/order'
import type { OrderPreview } from '@assay/core/contracts/wire/order-preview'
import type { PurchaseResource } from '@assay/core/contracts/wire/purchase'
import { canonical } from '@assay/core/domain/journal/canonical'
import { type JournalKeys, trustedKeys } from '@assay/core/domain/journal/keys'
import { checkReceipt, type Receipt } from '@assay/core/domain/journal/receipt'
import { dec, fixed, sum } from '@assay/core/domain/money/dec'
import { until } from '@assay/core/testing/until'
import { type Api, type Call, openApi } from './api.ts'
import { openContract } from './contract.ts'
import { readJournal } from './journal.ts'
import { operatorToken, type Person, signUp, startAssessment } from './people.ts'
import { type Process, runCommand, scratchHome, startProcess } from './platform.ts'

type Page<T> = { items: T[]; next: string | null }

/** Market time runs 20 times as fast: a segment of the log ends every 3 s, so proofs are sealed soon. */
const FEEDS = 'sim?speed=20x'
const TIER = 'two-step-100k-usd'
const contract = openContract()
const { home, remove } = scratchHome()
let platform: Process
let anonymous: Api
let operator: string
let ann: Person
let bob: Person
/** ann's assessment */
let id: string
const at = (rest = '') => `/api/assessments/${id}${rest}`
const receipts: Receipt[] = []

beforeAll(async () => {
  platform = await startProcess(home, { env: { FEEDS } })
  anonymous = openApi(platform.url, contract)
  operator = await operatorToken(anonymous)
  ann = await signUp(anonymous, 'ann', operator)
  bob = await signUp(anonymous, 'bob', operator)
}, 30_000)
afterAll(async () => {
  await platform.stop('SIGKILL')
  remove()
})

const place = async (body: object, who = ann): Promise<OrderAnswer> => {
  const answer = await who.bot.post<OrderAnswer>(at('/orders'), body)
  receipts.push(answer.receipt as Receipt)
  return answer
}
const market = (side: 'buy' | 'sell', quantity: string) => ({ symbol: 'BTC/USD', side, type: 'market', quantity })
/** far from the market: it rests */
const resting = { symbol: 'BTC/USD', side: 'buy', type: 'limit', quantity: '0.01', price: '1000' }

describe('buying and starting', () => {
  test('a purchase with an Idempotency-Key happens once; another body under it is refused', async () => {
    const headers = { 'idempotency-key': 'first-purchase' }
    const buy = (tier_id: string) =>
      ann.api.send<PurchaseResource>('POST', '/api/purchases', { headers, body: { tier_id } })
    const [first, second] = [await buy(TIER), await buy(TIER)]
    expect(first).toMatchObject({ status: 201, body: { status: 'paid' } })
    expect(second.body.id).toBe(first.body.id)
    expect((await buy('demo-usd')).status).toBe(422)
    const { items } = await ann.api.get<Page<PurchaseResource>>('/api/purchases')
    expect(items).toHaveLength(1)
    expect(await ann.api.get<object>(`/api/purchases/${first.body.id}`)).toMatchObject({ id: first.body.id })
  })
  test('a paid purchase gives one assessment, which starts once', async () => {
    const [{ id: purchase_id }] = (await ann.api.get<Page<PurchaseResource>>('/api/purchases')).items as [
      PurchaseResource,
    ]
    const assessment = await ann.api.post<AssessmentResource>('/api/assessments', { purchase_id })
    id = assessment.id
    expect(assessment.status).toBe('created')
    expect((await ann.api.refused('POST', '/api/assessments', { body: { purchase_id } })).status).toBe(409)
    const early = { body: market('buy', '0.1') }
    expect((await ann.bot.refused('POST', at('/orders'), early)).code).toBe('assessment_not_started')
    const started = await ann.api.post<TransitionResource>(at('/start'))
    expect(started.status).toBe('started')
    receipts.push(started.receipt as Receipt)
    expect((await ann.api.refused('POST', at('/start'))).code).toBe('assessment_already_started')
  })
})

describe('trading', () => {
  test('a market order fills now; repeated it is the same order, with another body a conflict', async () => {
    const order = { ...market('buy', '0.1'), client_order_id: 'first' }
    const first = await place(order)
    expect(first).toMatchObject({ order: { status: 'filled', filled: '0.1' }, replayed: false })
    const { status, body } = await ann.bot.send<OrderAnswer>('POST', at('/orders'), { body: order })
    expect({ status, body }).toEqual({ status: 200, body: { ...first, replayed: true } })
    const other = { body: { ...order, quantity: '0.2' } }
    expect((await ann.bot.refused('POST', at('/orders'), other)).code).toBe('client_order_id_conflict')
  })
  test('a limit order rests, an IOC that cannot fill is cancelled; cancel takes one, cancel all the rest', async () => {
    const rests = await place({ ...resting, client_order_id: 'rests' })
    expect(rests.order.status).toBe('working')
    const ioc = await place({ ...resting, time_in_force: 'ioc' })
    expect(ioc.order).toMatchObject({ status: 'cancelled', reason: 'no_liquidity' })
    const others = [await place(resting), await place(resting)].map(({ order }) => order.id)

    const { cancelled, receipt } = await ann.bot.delete<CancelAnswer>(at('/orders/client:rests'))
    expect(cancelled).toEqual([rests.order.id])
    receipts.push(receipt as Receipt)
    expect((await ann.bot.refused('DELETE', at('/orders/client:rests'))).code).toBe('order_not_working')
    const all = await ann.bot.delete<CancelAnswer>(at('/orders'))
    expect(all.cancelled.sort()).toEqual(others.sort())
    receipts.push(all.receipt as Receipt)
    expect(await ann.bot.get<OrderResource>(at('/orders/client:rests'))).toMatchObject({ status: 'cancelled' })
    const working = await ann.bot.get<Page<OrderResource>>(at('/orders?status=working'))
    expect(working.items).toEqual([])
  })
  test.each([
    ['an unknown symbol', { symbol: 'DOGE/USD' }, 422, 'unknown_symbol', 'symbol'],
    ['a quantity off the grid', { quantity: '0.1234567' }, 422, 'quantity_off_grid', 'quantity'],
    ['no quantity at all', { quantity: '0' }, 422, 'quantity_too_small', 'quantity'],
    ['a negative quantity', { quantity: '-1' }, 422, 'quantity_too_small', 'quantity'],
    ['more than the largest quantity', { quantity: '201' }, 422, 'quantity_too_large', 'quantity'],
    ['more than the margin', { quantity: '150' }, 422, 'insufficient_margin', 'quantity'],
    ['a float', { quantity: 0.1 }, 422, 'validation_failed', 'quantity'],
    ['an exponent', { quantity: '1e-1' }, 422, 'validation_failed', 'quantity'],
    ['a price off the grid', { type: 'limit', price: '1000.001' }, 422, 'price_off_grid', 'price'],
    ['a limit without a price', { type: 'limit' }, 422, 'validation_failed', 'price'],
    ['a side that is none', { side: 'hold' }, 422, 'validation_failed', 'side'],
    ['a stop without its price', { type: 'stop' }, 422, 'validation_failed', 'stop_price'],
    ['a time in force that does not fit', { time_in_force: 'gtc' }, 422, 'validation_failed', 'time_in_force'],
    ['a field that nobody knows', { leverage: '100' }, 422, 'validation_failed', 'leverage'],
  ])('%s is refused by field', async (_, change, status, code, field) => {
    const body = { ...market('buy', '0.1'), ...change }
    expect(await ann.bot.refused('POST', at('/orders'), { body })).toMatchObject({ status, code, field })
  })
  test('a body that is no JSON, too long or no object is refused', async () => {
    const refused = async (body: unknown) => (await ann.bot.refused('POST', at('/orders'), { body })).status
    expect(await refused('{"symbol":')).toBe(400)
    expect(await refused([])).toBe(422)
    expect(await refused('"'.padEnd(2_000_000, 'x'))).toBe(413)
  })
  test('requests that race on one account are decided one after the other, and all are answered', async () => {
    const same = { ...market('sell', '0.01'), client_order_id: 'raced' }
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ann.bot.send<OrderAnswer>('POST', at('/orders'), { body: same })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(19).fill(200), 201])
    expect(new Set(answers.map(({ body }) => body.order.id)).size).toBe(1)
    const many = await Promise.all(Array.from({ length: 60 }, (_, n) => place(market(n % 2 ? 'buy' : 'sell', '0.01'))))
    expect(many.every(({ order }) => order.status === 'filled')).toBe(true)
    expect(new Set(many.map(({ order }) => order.id)).size).toBe(60)
  }, 15_000)
  test('the balance is the initial one and what the fills booked, to the last cent', async () => {
    const { items } = await ann.bot.get<Page<TradeResource>>(at('/trades?limit=500'))
    const booked = items.flatMap(({ result, fee }) => [result, fee]).map((line) => dec(line?.booked ?? '0'))
    const account = await ann.bot.get<AccountResource>(at('/account'))
    expect(account.balance).toBe(fixed(sum([dec('100000'), ...booked]), 2))
    const { items: positions } = await ann.bot.get<PositionList>(at('/positions'))
    expect(positions).toMatchObject([{ symbol: 'BTC/USD', quantity: '0.09' }])
    const rules = await ann.bot.get<RuleList>(at('/rules'))
    expect(rules.items.map(({ rule }) => rule)).toEqual([
      'profit_target',
      'max_daily_loss',
      'max_loss',
      'min_trading_days',
    ])
    const history = await ann.bot.get<{ items: { equity: string }[] }>(at('/equity'))
    expect(history.items.length).toBeGreaterThan(0)
  })
  test('a bracket has exits of its own, a pair two legs; amended, previewed and closed they agree with what was written', async () => {
    const { ask } = await anonymous.get<{ ask: string }>('/api/market/ticker/BTC-USD')
    const [half, more] = [Math.floor(Number(ask) / 2), Math.floor(Number(ask) * 2)].map(String) as [string, string]
    const bracket = { ...market('buy', '0.01'), type: 'bracket', take_profit: { price: more } }
    const asked = { ...bracket, stop_loss: { stop_price: half } }
    const preview = await ann.bot.post<OrderPreview>(at('/orders/preview'), asked)
    expect(preview).toMatchObject({ refusal: null, order: { status: 'filled' } })
    expect(preview.floors.map(({ rule }) => rule)).toEqual(['max_daily_loss', 'max_loss'])
    const { order } = await place({ ...asked, client_order_id: 'bracket' })
    expect(await ann.bot.get<OrderResource>(at(`/orders/${order.id}.sl`))).toMatchObject({
      type: 'stop',
      stop_price: half,
      oco: `${order.id}.tp`,
      parent: order.id,
      status: 'working',
    })
    const pair = await place({ ...market('buy', '0.01'), type: 'oco', price: half, stop_price: more })
    expect(pair.legs.map(({ type, status }) => [type, status])).toEqual([
      ['limit', 'working'],
      ['stop', 'working'],
    ])
    const change = { body: { price: String(Number(half) - 1) } }
    const amended = await ann.bot.send<OrderAnswer>('PATCH', at(`/orders/${pair.order.id}`), change)
    expect(amended).toMatchObject({ status: 200, body: { order: { price: change.body.price, status: 'working' } } })
    receipts.push(amended.body.receipt as Receipt)
    await ann.bot.delete<CancelAnswer>(at(`/orders/${pair.order.id}`))
    expect(await ann.bot.get<OrderResource>(at(`/orders/${pair.order.id}.stop`))).toMatchObject({ status: 'cancelled' })

    const closed = await ann.bot.post<OrderAnswer>(at('/positions/BTC-USD/close'))
    expect(closed.order).toMatchObject({ side: 'sell', status: 'filled', filled: '0.1', reduce_only: true })
    receipts.push(closed.receipt as Receipt)
    expect((await ann.bot.get<PositionList>(at('/positions'))).items).toEqual([])
    expect((await ann.bot.get<Page<OrderResource>>(at('/orders?status=working'))).items).toEqual([])
  })
  test('lists have an ETag that spares the body', async () => {
    const { headers } = await ann.bot.send('GET', at('/trades?limit=5'))
    const again = await fetch(`${platform.url}${at('/trades?limit=5')}`, {
      headers: { authorization: `Bearer ${ann.key}`, 'if-none-match': headers.get('etag')! },
    })
    expect(again.status).toBe(304)
  })
  test('nobody else sees any of it', async () => {
    const order = (await ann.bot.get<Page<OrderResource>>(at('/orders?limit=1'))).items[0]!.id
    const reads = [
      '',
      '/account',
      '/equity',
      '/positions',
      '/trades',
      '/orders',
      '/rules',
      '/violations',
      '/journal',
      '/proof',
      '/explain',
      `/orders/${order}`,
    ]
    const tries = [
      ...reads.map((path) => ['GET', path] as const),
      ['POST', '/start'] as const,
      ['POST', '/abandon'] as const,
      ['POST', '/orders'] as const,
      ['POST', '/orders/preview'] as const,
      ['POST', '/pause'] as const,
      ['POST', '/resume'] as const,
      ['PATCH', `/orders/${order}`] as const,
      ['DELETE', '/orders'] as const,
      ['DELETE', `/orders/${order}`] as const,
    ]
    for (const [method, path] of tries) {
      const call = bodyOf(method)
      expect({ path, problem: await bob.api.refused(method, at(path), call) }).toMatchObject({
        path,
        problem: { status: 404, code: 'not_found' },
      })
      expect((await anonymous.refused(method, at(path), call)).status).toBe(401)
    }
    expect((await bob.api.get<Page<object>>('/api/assessments')).items).toEqual([])
  })
})

describe('the verdict and its proof', () => {
  test('an abandoned assessment takes no order; its proof comes once the log behind the verdict is sealed', async () => {
    await earlyInAMarketMinute()
    const ended = await ann.api.post<TransitionResource>(at('/abandon'))
    expect(ended.status).toBe('abandoned')
    receipts.push(ended.receipt as Receipt)
    const later = await ann.bot.send('GET', at('/proof'))
    expect(later.status).toBe(202)
    expect(Number(later.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await ann.bot.refused('POST', at('/orders'), { body: market('buy', '0.1') })).code).toBe('assessment_ended')
    expect((await ann.api.refused('POST', at('/abandon'))).code).toBe('assessment_ended')
    expect((await ann.bot.get<PositionList>(at('/positions'))).items).toEqual([])

    let answer = later
    const sealed = async () => {
      answer = await ann.bot.send('GET', at('/proof'))
      return answer.status !== 202
    }
    await until('the proof', sealed, 15_000)
    expect(answer.status).toBe(200)
    await Bun.write(join(home, 'ann.proof'), answer.body as Uint8Array)
    const same = await fetch(`${platform.url}${at('/proof')}`, {
      headers: { authorization: `Bearer ${ann.key}`, 'if-none-match': answer.headers.get('etag')! },
    })
    expect(same.status).toBe(304)
  }, 30_000)
  test('every receipt holds against the published keys and stands in the journal, whose chain is whole', async () => {
    const journal = await readJournal(ann.bot, id, -1, 7)
    let last = '0'.repeat(64)
    for (const [aseq, { record, hash }] of journal.entries()) {
      last = createHash('sha256')
        .update(last + canonical(record))
        .digest('hex')
      expect({ aseq: record.aseq, hash }).toEqual({ aseq, hash: last })
    }
    const { keys } = await anonymous.get<JournalKeys>('/.well-known/assay-journal-keys.json')
    const trusted = trustedKeys(keys)
    expect(receipts.length).toBeGreaterThan(60)
    for (const receipt of receipts) {
      expect(checkReceipt(receipt, trusted)).toBe('valid')
      expect(journal[receipt.aseq]?.hash).toBe(receipt.hash)
    }
  })
  test('assay verify decides it again from the file alone, and by id with a key', async () => {
    await Bun.write(join(home, 'receipt.json'), JSON.stringify(receipts.at(-1)))
    const file = await runCommand(home, ['verify', 'ann.proof', '--receipt', 'receipt.json'])
    expect(file).toMatchObject({ code: 0, output: expect.stringContaining(`assessment ${id}: abandoned`) })
    expect((await runCommand(home, ['verify', id, '--token', ann.key])).code).toBe(0)
    expect(await runCommand(home, ['verify', id])).toMatchObject({
      code: 2,
      output: expect.stringContaining('--token'),
    })
  }, 15_000)
  test('explain says line by line where the equity came from', async () => {
    const { items } = await ann.bot.get<Page<JournalItem>>(at('/journal?kind=verdict'))
    const told = await ann.bot.get<{ record: object; equity: { total: string } }>(at('/explain'))
    expect(told.record).toEqual(items[0]!.record)
    expect(told.equity.total).toBe(items[0]!.record.equity as string)
    expect((await ann.bot.refused('GET', at('/explain?at=nonsense'))).status).toBe(422)
  })
})

describe('the whole', () => {
  test('what has no route is a problem, and so is a wrong method', async () => {
    expect(await anonymous.refused('GET', '/nowhere')).toMatchObject({ status: 404, code: 'not_found' })
    expect(await anonymous.refused('GET', '/api/nowhere')).toMatchObject({ status: 404, code: 'not_found' })
    const { status, headers } = await anonymous.send('PUT', '/api/tiers')
    expect({ status, allow: headers.get('allow') }).toEqual({ status: 405, allow: 'GET, POST' })
    expect(await ann.api.refused('GET', '/api/assessments?limit=501')).toMatchObject({ status: 422, field: 'limit' })
  })
  test('a second process on the same folder is refused with the owner’s pid', async () => {
    const second = await runCommand(home, ['up', '--port=0'])
    expect(second).toMatchObject({ code: 1, output: expect.stringContaining(String(platform.pid)) })
  })
  test('SIGTERM ends it with 0, and nothing is forgotten by the next start', async () => {
    const { code, output } = await platform.stop()
    expect(code).toBe(0)
    expect(output).not.toContain('"level":"error"')
    platform = await startProcess(home, { env: { FEEDS } })
    const { bot } = { bot: openApi(platform.url, contract).as(ann.key) }
    expect(await bot.get<AssessmentResource>(at())).toMatchObject({ status: 'abandoned', id })
    const annAgain = { ...ann, api: openApi(platform.url, contract).as(ann.token) }
    id = await startAssessment(annAgain, 'demo-usd')
    expect(await bot.post<OrderAnswer>(at('/orders'), market('buy', '0.001'))).toMatchObject({
      order: { status: 'filled' },
    })
  }, 30_000)
  test('--only serves the named services alone', async () => {
    await platform.stop()
    platform = await startProcess(home, { env: { FEEDS }, argv: ['--only=gateway,market-data'] })
    const part = openApi(platform.url, contract)
    await part.get('/api/market/symbols')
    expect((await part.refused('GET', '/api/tiers')).status).toBe(404)
    expect(await runCommand(home, ['up', '--only=gatway'])).toMatchObject({
      code: 2,
      output: expect.stringContaining('did you mean gateway'),
    })
  }, 15_000)
})

/** What a route reads; a wrong body would be refused before anybody is looked for. */
const bodyOf = (method: string): Call =>
  method === 'POST' ? { body: market('buy', '0.1') } : method === 'PATCH' ? { body: { price: '1' } } : {}

/** Waits until the market's minute, and with it the open segment, is young. */
async function earlyInAMarketMinute(): Promise<void> {
  await until('the first seconds of a market minute', async () => {
    const { groups } = await ann.bot.get<{ groups: { main: { mts: string } } }>('/api/time')
    return new Date(groups.main.mts).getUTCSeconds() < 20
  })
}
