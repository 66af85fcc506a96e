/**
 * The outside client: a process of its own that sends orders at a steady rate whether or not anybody listens, sends
 * each again under the same client_order_id until it is answered, and writes down what it was promised.
 * usage: bun load.ts SETTINGS (JSON)
 */
import { renameSync, writeFileSync } from 'node:fs'
import { openAcks, type ReceiptHeld, type Taken } from './acks.ts'
import { type OrderAsked, orderNear } from './order-near.ts'
import { buy, HEDGING, type Person, tierOf } from './people.ts'
import { seeded } from './seeded.ts'

export interface LoadSettings {
  url: string
  people: Person[]
  acks: string
  /** its figures, rewritten every second and at the end */
  report: string
  ordersPerS: number
  seed: number
  /** of every client_order_id of this process */
  prefix: string
  /** orders under way at once, 2,000; no further one is given meanwhile */
  mostOpen?: number
  /** longest pause before one is sent again, 40 ms */
  retryMs?: number
}
export interface LoadReport {
  seconds: number
  asked: number
  /** requests, repeats included */
  sent: number
  acknowledged: number
  /** answers to a repeat: the first one was lost, or the first request was */
  replayed: number
  /** orders under way, least and most seen at the full seconds */
  open: number
  statuses: Record<string, number>
}
interface Account {
  person: Person
  assessment: string
  tier: string
  orders: number
  price: string | null
  paused: boolean
  working: string[]
  busy: boolean
}

const settings = JSON.parse(process.argv[2]!) as LoadSettings
const random = seeded(settings.seed)
const acks = openAcks(settings.acks)
const accounts = settings.people.flatMap((person) =>
  person.assessments.map(
    (assessment, n): Account => ({
      person,
      assessment,
      tier: tierOf(person.role, n),
      orders: 0,
      price: null,
      paused: false,
      working: [],
      busy: false,
    }),
  ),
)
const report: LoadReport = { seconds: 0, asked: 0, sent: 0, acknowledged: 0, replayed: 0, open: 0, statuses: {} }
const RETRY_MS = settings.retryMs ?? 40
const PATIENCE_MS = 5_000
const MOST_OPEN = settings.mostOpen ?? 2_000
const PASSING = new Set([429, 503, 504])
let stopping = false
let turn = 0

interface Answered {
  status: number
  // the answer's JSON: an order, a cancellation or a problem
  // biome-ignore lint/suspicious/noExplicitAny: read field by field where it is used
  body: any
  sent: number
}
/** Sends until there is an answer that says what became of it. */
async function deliver(method: string, path: string, key: string, body?: unknown): Promise<Answered> {
  for (let sent = 1; ; sent++) {
    report.sent++
    try {
      const answer = await fetch(`${settings.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(PATIENCE_MS),
      })
      const said = await answer.json()
      report.statuses[answer.status] = (report.statuses[answer.status] ?? 0) + 1
      if (!PASSING.has(answer.status)) return { status: answer.status, body: said, sent }
    } catch {
      report.statuses.lost = (report.statuses.lost ?? 0) + 1
      await back()
    }
    await Bun.sleep(RETRY_MS * random())
  }
}
let waiting: Promise<void> | null = null
/** Somebody listens again: one asks for all that wait. */
function back(): Promise<void> {
  waiting ??= (async () => {
    while (!(await fetch(`${settings.url}/health`, { signal: AbortSignal.timeout(1000) }).catch(() => null)))
      await Bun.sleep(RETRY_MS)
    waiting = null
  })()
  return waiting
}

const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!
const SYMBOLS = ['BTC/USD', 'ETH/USD']
const SIZES: Record<string, string[]> = {
  'BTC/USD': ['0.001', '0.0005', '0.002'],
  'ETH/USD': ['0.01', '0.02', '0.005'],
}

type Given = OrderAsked | 'cancel' | 'cancel_all' | 'amend' | 'close' | 'pause' | 'resume'
function nextOrder(account: Account): Given | null {
  const client_order_id = `${settings.prefix}${report.asked}`
  const side = pick(['buy', 'sell'] as const)
  account.orders++
  if (account.person.role === 'holder') {
    if (account.orders > 1) return null
    return { client_order_id, symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '0.05' }
  }
  if (account.person.role === 'burner') {
    const burning = account.orders % 2 === 1 ? 'buy' : 'sell'
    return { client_order_id, symbol: 'BTC/USD', side: burning, type: 'market', quantity: '0.14' }
  }
  if (account.paused) return 'resume'
  if (account.orders % 40 === 0) return 'cancel_all'
  // flat after its close, where nothing came between
  if (account.orders % 60 === 1 && account.orders > 1) return 'close'
  if (account.orders % 60 === 2 && account.orders > 2) return 'pause'
  if (account.working.length > 0 && random() < 0.12) return random() < 0.5 ? 'cancel' : 'amend'
  if (random() < 0.05) return 'close'
  // one symbol where it is to be flat for a pause
  const symbol = account.price || account.tier === 'chaos-everything' ? 'BTC/USD' : pick(SYMBOLS)
  if (account.price && random() < 0.4) {
    const near = { symbol: 'BTC/USD', side, quantity: '0.001', price: Number(account.price), digits: 2, within: 0.002 }
    return { client_order_id, ...orderNear(random, near) }
  }
  // now and then more than the margin allows: a refusal is a promise too
  const quantity = random() < 0.03 ? '180' : pick(SIZES[symbol]!)
  return { client_order_id, symbol, side, type: 'market', quantity }
}

async function placeOrder(account: Account, asked: OrderAsked): Promise<void> {
  const { assessment, person } = account
  const { status, body, sent } = await deliver('POST', `/api/assessments/${assessment}/orders`, person.key, asked)
  if (status === 200 || status === 201) {
    if (body.replayed) report.replayed++
    const fills = body.fills.map(({ id, quantity, price }: Record<string, string>) => ({ id, quantity, price }))
    const { receipt, replayed, order } = body as {
      receipt: ReceiptHeld
      replayed: boolean
      order: { id: string; status: string }
    }
    await acks.keep({ kind: 'placed', assessment, asked, order: order.id, fills, receipt, sent, replayed })
    if (order.status === 'working' || order.status === 'pending') account.working.push(order.id)
    if (asked.symbol === 'BTC/USD' && fills.length > 0) account.price = fills.at(-1).price
    return
  }
  await acks.keep({ kind: 'refused', assessment, asked, code: body.code, retryable: body.retryable === true, sent })
  if (body.code === 'assessment_ended') await replace(account)
}
async function cancel(account: Account, what: 'cancel' | 'cancel_all'): Promise<void> {
  const { assessment, person } = account
  const one = what === 'cancel' ? `/${account.working.shift()}` : ''
  if (what === 'cancel_all') account.working = []
  const { status, body } = await deliver('DELETE', `/api/assessments/${assessment}/orders${one}`, person.key)
  if (status === 200) await acks.keep({ kind: 'cancelled', assessment, orders: body.cancelled, receipt: body.receipt })
}
/** Commands without an id of their own: sent again they may be refused, and that is no promise. */
async function change(account: Account, what: 'amend' | 'close' | 'pause' | 'resume'): Promise<void> {
  const { assessment, person } = account
  const base = `/api/assessments/${assessment}`
  const said = await requestOf(account, what)
  if (!said) return
  const { method, path, body, taken } = said
  const answer = await deliver(method, `${base}${path}`, person.key, body)
  if (what === 'pause' || what === 'resume') account.paused = what === 'pause' && answer.status === 200
  if (answer.status !== 200 && answer.status !== 201) return
  await acks.keep({ kind: 'taken', assessment, ...taken, receipt: answer.body.receipt as ReceiptHeld })
}
async function requestOf(
  account: Account,
  what: 'amend' | 'close' | 'pause' | 'resume',
): Promise<{ method: string; path: string; body: object; taken: Taken } | null> {
  if (what === 'pause' || what === 'resume')
    return { method: 'POST', path: `/${what}`, body: {}, taken: { op: what, asked: {} } }
  if (what === 'amend') {
    const order = account.working.at(-1)!
    const price = (Number(account.price ?? 60_000) * (1 + (random() - 0.5) * 0.001)).toFixed(2)
    const body = pick([{ price }, { stop_price: price }, { quantity: '0.002' }])
    return { method: 'PATCH', path: `/orders/${order}`, body, taken: { op: 'amend', asked: { order, ...body } } }
  }
  const body = { client_order_id: `${settings.prefix}close-${report.sent}` }
  const position = account.tier === HEDGING ? await firstTicket(account) : 'BTC/USD'
  if (!position) return null
  const path = `/positions/${position.replace('/', '-')}/close`
  return { method: 'POST', path, body, taken: { op: 'close', asked: { position, ...body } } }
}
async function firstTicket({ assessment, person }: Account): Promise<string | null> {
  const { body } = await deliver('GET', `/api/assessments/${assessment}/positions`, person.key)
  return (body.items as { id: string }[] | undefined)?.[0]?.id ?? null
}
/** The assessment has ended: another one is bought, whatever is killed meanwhile. */
async function replace(account: Account): Promise<void> {
  if (account.busy) return
  account.busy = true
  const name = `${settings.prefix}${report.asked}`
  while (!stopping) {
    const id = await buy(settings.url, account.person.key, account.tier, name).catch(() => null)
    if (id) {
      account.assessment = id
      break
    }
    await Bun.sleep(RETRY_MS * 5)
  }
  account.busy = false
}

const began = performance.now()
const show = () => {
  report.seconds = (performance.now() - began) / 1000
  report.acknowledged = acks.kept
  writeFileSync(`${settings.report}.new`, JSON.stringify(report))
  renameSync(`${settings.report}.new`, settings.report)
}
process.on('SIGTERM', () => {
  stopping = true
})
setInterval(show, 1000).unref()

/** The next account that has an order to give, in turns: holders are asked once, others may be buying a new assessment. */
function nextGiven(): [Account, Given] {
  for (;;) {
    const account = accounts[turn++ % accounts.length]!
    const order = account.busy ? null : nextOrder(account)
    if (order) return [account, order]
  }
}
function give(account: Account, given: Given): Promise<void> {
  if (typeof given === 'object') return placeOrder(account, given)
  return given === 'cancel' || given === 'cancel_all' ? cancel(account, given) : change(account, given)
}
for (let due = began; !stopping; due += 1000 / settings.ordersPerS) {
  const wait = due - performance.now()
  if (wait > 0) await Bun.sleep(wait)
  if (report.open >= MOST_OPEN) continue
  const [account, order] = nextGiven()
  report.asked++
  report.open++
  const done = give(account, order)
  void done.finally(() => {
    report.open--
  })
}
while (report.open > 0) await Bun.sleep(10)
show()
process.exit(0)
