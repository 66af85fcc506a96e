import type { Compiled } from '@assay/core/domain/engine/compile'
import { money } from '@assay/core/domain/engine/live'
import type { FloorNote } from '@assay/core/domain/engine/turn'
import type { AccountSpec, JournalRecord, OrderView } from '@assay/core/domain/engine/types'
import { dec, isDec } from '@assay/core/domain/money/dec'

export interface BacktestFill {
  at: string
  mseq: number
  client_order_id: string | null
  order: string
  symbol: string
  side: string
  quantity: string
  price: string
  fee: string
  result: string
  liquidity: string
  spread_cost: string
  source: { kind: string; mseq: number; synthetic?: string }
}
export interface BacktestOrder {
  order: string
  client_order_id: string | null
  symbol: string
  type: string
  status: string
  filled: string
  reason: string | null
  at: string
}
/** The result object of backtest.md. Money strings have at least the ledger scale's places. */
export interface BacktestResult {
  verdict: 'passed' | 'failed' | 'expired' | 'open'
  rule: string | null
  phase: number
  at: string | null
  mseq: number | null
  value: string | null
  limit: string | null
  balance: string
  equity: string
  fills: BacktestFill[]
  violations: {
    rule: string
    at: string
    mseq: number
    value: string
    limit: string
    effect: string
    attributed: boolean
    provisional: boolean
  }[]
  /** each change of a floor, those that trail a high-water mark between records too */
  floors: { rule: string; at: string; mseq: number; floor: string }[]
  warnings: { rule: string; at: string; mseq: number; fraction: string; value: string; limit: string }[]
  /** a null rule: unlocked */
  locks: { rule: string | null; at: string; mseq: number; until: string | null }[]
  /** swap and funding */
  carry: { what: string; at: string; mseq: number; symbol: string; position: string; booked: string }[]
  /** how each order ended, or where it stands */
  orders: BacktestOrder[]
  days: { day: string; anchor: string | null; balance: string; equity: string }[]
  rejected: { client_order_id: string | null; code: string; detail: string; at: string }[]
  target_reached_at: string | null
  not_simulated: string[]
  defaults: string[]
  synthetic: string[]
  state_hash: string
  proof: string | null
}
export interface ResultInput {
  records: readonly JournalRecord[]
  notes: readonly FloorNote[]
  compiled: Compiled
  spec: AccountSpec
  live: { phase: number; balance: string; equity: string }
  stateHash: string
  notSimulated: string[]
  defaults: string[]
  proof: string | null
}
const iso = (ms: number): string => new Date(ms).toISOString()
type Of<K extends JournalRecord['kind']> = Extract<JournalRecord, { kind: K }>

/** The result of a run, a function of its journal (and of the floors that moved with a high-water mark). */
export function resultOf(input: ResultInput): BacktestResult {
  const { records, compiled } = input
  const of = <K extends JournalRecord['kind']>(kind: K): Of<K>[] => records.filter((r) => r.kind === kind) as Of<K>[]
  const cash = (value: string): string => money(dec(value), compiled.scale)
  const amount = (rule: string, value: string): string => (IN_MONEY.has(rule) && isDec(value) ? cash(value) : value)
  const clientIds = clientIdsOf(of('command'))
  const verdict = of('verdict').at(-1)
  const at = verdict ? (verdict.dated ?? verdict) : null
  return {
    verdict: verdict === undefined || verdict.verdict === 'abandoned' ? 'open' : verdict.verdict,
    rule: verdict?.rule ?? null,
    phase: verdict?.phase ?? input.live.phase,
    at: at && iso(at.mts),
    mseq: at?.mseq ?? null,
    value: verdict?.value ? amount(verdict.rule ?? '', verdict.value) : null,
    limit: verdict?.limit ? amount(verdict.rule ?? '', verdict.limit) : null,
    balance: input.live.balance,
    equity: input.live.equity,
    fills: of('fill').map((f) => ({
      at: iso(f.mts),
      mseq: f.mseq,
      client_order_id: clientIds(f.order),
      order: f.order,
      symbol: f.symbol,
      side: f.side,
      quantity: f.quantity,
      price: f.price,
      fee: cash(f.fee ? f.fee.booked.replace(/^-/, '') : '0'),
      result: cash(f.result?.booked ?? '0'),
      liquidity: f.liquidity,
      spread_cost: f.spread_cost,
      source: {
        kind: f.source.kind,
        mseq: f.source.mseq,
        ...(f.source.synthetic ? { synthetic: f.source.synthetic } : {}),
      },
    })),
    violations: of('violation').flatMap((v) => {
      const shared = { at: iso((v.dated ?? v).mts), mseq: (v.dated ?? v).mseq, provisional: v.provisional }
      return [
        {
          rule: v.rule,
          ...shared,
          value: amount(v.rule, v.value),
          limit: amount(v.rule, v.limit),
          effect: v.effect,
          attributed: true,
        },
        ...v.crossed.map((c) => ({
          rule: c.rule,
          ...shared,
          value: amount(c.rule, c.value),
          limit: amount(c.rule, c.limit),
          effect: input.spec.phases[v.phase]!.rules[c.index]!.effect,
          attributed: false,
        })),
      ]
    }),
    floors: [
      ...of('floor').map((f) => ({ rule: f.rule, at: f.mts, mseq: f.mseq, floor: cash(f.floor) })),
      ...input.notes.map((n) => ({ rule: n.rule, at: n.mts, mseq: n.mseq, floor: cash(n.floor) })),
    ]
      .sort((a, b) => a.at - b.at || a.mseq - b.mseq)
      .map((f) => ({ ...f, at: iso(f.at) })),
    warnings: of('warning').map((w) => ({
      rule: w.rule,
      at: iso(w.mts),
      mseq: w.mseq,
      fraction: w.fraction,
      value: amount(w.rule, w.value),
      limit: amount(w.rule, w.limit),
    })),
    locks: of('lock').map((l) => ({
      rule: l.rule,
      at: iso(l.mts),
      mseq: l.mseq,
      until: l.until === null ? null : iso(l.until),
    })),
    carry: of('carry').map((c) => ({
      what: c.what,
      at: iso(c.mts),
      mseq: c.mseq,
      symbol: c.symbol,
      position: c.position,
      booked: cash(c.booked.booked),
    })),
    orders: ordersOf(records, clientIds),
    days: of('day').map((d) => ({
      day: d.day,
      anchor: firstAnchor(d.anchors, cash),
      balance: cash(d.balance),
      equity: cash(d.equity),
    })),
    rejected: of('command').flatMap((r) =>
      r.answer.ok
        ? []
        : [
            {
              client_order_id: 'client_order_id' in r.command ? (r.command.client_order_id ?? null) : null,
              code: r.answer.code,
              detail: r.answer.detail,
              at: iso(r.mts),
            },
          ],
    ),
    target_reached_at: of('target').at(0) ? iso(of('target')[0]!.mts) : null,
    not_simulated: input.notSimulated,
    defaults: input.defaults,
    synthetic:
      verdict?.synthetic ??
      [...new Set(of('fill').flatMap((f) => (f.source.synthetic ? [f.source.synthetic] : [])))].sort(),
    state_hash: input.stateHash,
    proof: input.proof,
  }
}

function firstAnchor(anchors: Record<string, string>, cash: (value: string) => string): string | null {
  const [first] = Object.values(anchors)
  return first === undefined ? null : cash(first)
}

/** Rules whose value and limit are amounts; the others count, or are shares. */
const IN_MONEY: ReadonlySet<string> = new Set([
  'profit_target',
  'max_daily_loss',
  'daily_profit_cap',
  'max_loss',
  'max_open_loss',
  'max_risk_per_idea',
])

/** The client's id of an order; a leg or an exit goes by the one of its command. */
function clientIdsOf(commands: readonly Of<'command'>[]): (order: string) => string | null {
  const ids = new Map<string, string>()
  for (const { aseq, command } of commands) {
    if ((command.op === 'order' || command.op === 'close') && command.client_order_id !== undefined)
      ids.set(`o${aseq}`, command.client_order_id)
  }
  return (order) => ids.get(order.split('.')[0]!) ?? null
}

/** Every order with its newest status, in the order of their births. */
function ordersOf(records: readonly JournalRecord[], clientId: (order: string) => string | null): BacktestOrder[] {
  const orders = new Map<string, BacktestOrder>()
  const set = (view: OrderView, at: number): void => {
    const { id, symbol, type, status, filled, reason = null } = view
    orders.set(id, { order: id, client_order_id: clientId(id), symbol, type, status, filled, reason, at: iso(at) })
  }
  for (const r of records) {
    if (r.kind === 'command' && r.answer.ok) {
      for (const view of [...(r.answer.order ? [r.answer.order] : []), ...(r.answer.legs ?? [])]) set(view, r.mts)
    }
    if (r.kind !== 'order') continue
    if (r.view) set(r.view, r.mts)
    const known = orders.get(r.order)
    if (!known || r.view) continue
    Object.assign(known, { status: r.status, filled: r.filled, reason: r.reason ?? null, at: iso(r.mts) })
  }
  return [...orders.values()]
}
