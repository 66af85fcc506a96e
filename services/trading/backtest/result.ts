import type { Compiled } from '@assay/core/domain/engine/compile'
import { money } from '@assay/core/domain/engine/live'
import type { FloorNote } from '@assay/core/domain/engine/turn'
import type { AccountSpec, JournalRecord } from '@assay/core/domain/engine/types'
import { dec } from '@assay/core/domain/money/dec'

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
  floors: { rule: string; at: string; mseq: number; floor: string }[]
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
  const clientIds = new Map<string, string | null>()
  for (const r of of('command'))
    if (r.command.op === 'order') clientIds.set(`o${r.aseq}`, r.command.client_order_id ?? null)
  const verdict = of('verdict').at(-1)
  const at = verdict ? (verdict.dated ?? verdict) : null
  return {
    verdict: verdict === undefined || verdict.verdict === 'abandoned' ? 'open' : verdict.verdict,
    rule: verdict?.rule ?? null,
    phase: verdict?.phase ?? input.live.phase,
    at: at && iso(at.mts),
    mseq: at?.mseq ?? null,
    value: verdict?.value ? cash(verdict.value) : null,
    limit: verdict?.limit ? cash(verdict.limit) : null,
    balance: input.live.balance,
    equity: input.live.equity,
    fills: of('fill').map((f) => ({
      at: iso(f.mts),
      mseq: f.mseq,
      client_order_id: clientIds.get(f.order) ?? null,
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
        { rule: v.rule, ...shared, value: cash(v.value), limit: cash(v.limit), effect: v.effect, attributed: true },
        ...v.crossed.map((c) => ({
          rule: c.rule,
          ...shared,
          value: cash(c.value),
          limit: cash(c.limit),
          effect: v.effect,
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
              client_order_id: r.command.op === 'order' ? (r.command.client_order_id ?? null) : null,
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
