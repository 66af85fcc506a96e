import type { EquityHistory } from '@assay/core/contracts/wire/account'
import { type Compiled, compileSpec } from '@assay/core/domain/engine/compile'
import { money } from '@assay/core/domain/engine/live'
import { quotesOf, unrealised } from '@assay/core/domain/engine/valuation'
import { MarketView } from '@assay/core/domain/engine/view'
import { add, type Dec, dec } from '@assay/core/domain/money/dec'
import type { Row } from '@assay/core/ports/db/port'
import type { TradingDeps, Verb } from '../deps.ts'
import { iso } from '../time.ts'
import { accountSpec } from './account-spec.ts'
import { openPhase, type PhaseInput } from './live.ts'
import { instantsOf, type Resolution } from './resolution.ts'

export interface EquityInput extends PhaseInput {
  from?: string | undefined
  to?: string | undefined
  resolution?: Resolution | undefined
}
interface StepRow extends Row {
  mseq: string
  mts: string
  symbol: string | null
  position_id: string | null
  quantity: string | null
  cost: string | null
  cash: string
}
interface Held {
  balance: Dec
  /** by symbol, in hedging accounts by ticket */
  positions: Map<string, { symbol: string; quantity: Dec; cost: Dec }>
}

/**
 * Balance and equity of a phase at the full minutes, hours ... of its market time: what was booked up to the last
 * event before that instant, valued with the quotes of that event, out of the market log; exact, not sampled. The
 * first point is the phase's start, the last one its end or now. Instants that the log no longer holds are left out.
 */
export async function equityHistory(verb: Verb<EquityInput>): Promise<EquityHistory> {
  const { live, past } = await openPhase(verb)
  const { input, deps } = verb
  const phase = past?.phase ?? live.phase
  const steps = await bookedSteps(deps, live.account, phase)
  const start = steps[0]
  const resolution = input.resolution
  if (!start) return { phase, currency: live.currency, resolution: resolution ?? '1m', items: [] }
  const first = Number(start.mts)
  const last = past ? Number(past.ended_mts) : live.mts
  const from = Math.max(first, input.from ? Date.parse(input.from) : first)
  const to = Math.min(last, input.to ? Date.parse(input.to) : last)
  const grid = instantsOf(from, to, resolution)
  const compiled = compileSpec(await accountSpec(deps, live.account))
  const items = await valued(deps, compiled, steps, grid.instants)
  const scale = compiled.scale
  const opened = money(dec(start.cash), scale)
  if (from === first) items.unshift({ at: iso(first), balance: opened, equity: opened, mseq: Number(start.mseq) })
  if (to === last && from <= last) {
    const end = past
      ? {
          balance: past.balance ?? opened,
          equity: past.equity ?? past.balance ?? opened,
          mseq: Number(steps.at(-1)!.mseq),
        }
      : { balance: live.balance, equity: live.equity, mseq: live.mseq }
    items.push({ at: iso(last), ...end })
  }
  return { phase, currency: live.currency, resolution: grid.resolution, items }
}

/** Every booking of the phase in order: its opening balance, each fill with the position after it, swap and funding. */
async function bookedSteps(deps: TradingDeps, account: string, phase: number): Promise<StepRow[]> {
  return deps.db.query<StepRow>(
    `select j.mseq, j.mts, f.symbol, f.position_id, j.record::jsonb -> 'position' ->> 'quantity' as quantity, j.record::jsonb -> 'position' ->> 'cost' as cost,
       coalesce((select sum(l.amount) from trading.ledger_entry l where l.account = j.account and l.aseq = j.aseq and l.ledger = 'account:cash'), 0) as cash
     from trading.journal j left join trading.fills f using (account, aseq)
     where j.account = $1 and (f.phase = $2 or j.aseq = (select opened_aseq from trading.phases where account = $1 and phase = $2)
       or (j.kind = 'carry' and (j.record::jsonb ->> 'phase')::int = $2))
     order by j.aseq`,
    [account, phase],
  )
}

async function valued(
  deps: TradingDeps,
  compiled: Compiled,
  steps: readonly StepRow[],
  instants: readonly number[],
): Promise<EquityHistory['items']> {
  if (instants.length === 0) return []
  const { group } = compiled.spec
  const end = await deps.marketlog.end(group)
  const ends = await deps.segmentEnds.between(group, Number(steps[0]!.mseq), end?.mseq ?? 0)
  const held: Held = { balance: dec('0'), positions: new Map() }
  const items: EquityHistory['items'] = []
  let booked = 0
  let segment = -1
  for (const instant of instants) {
    while (segment + 1 < ends.length && ends[segment + 1]!.lastMts < instant) segment++
    if (segment < 0) continue
    const { last } = ends[segment]!
    while (booked < steps.length && Number(steps[booked]!.mseq) <= last) book(held, steps[booked++]!, compiled.hedging)
    const equity = await equityAt(deps, compiled, held, last)
    if (equity) {
      items.push({
        at: iso(instant),
        balance: money(held.balance, compiled.scale),
        equity: money(equity, compiled.scale),
        mseq: last,
      })
    }
  }
  return items
}

function book(held: Held, step: StepRow, hedging: boolean): void {
  held.balance = add(held.balance, dec(step.cash))
  if (step.symbol === null) return
  const key = hedging ? step.position_id! : step.symbol
  if (step.quantity === '0') held.positions.delete(key)
  else held.positions.set(key, { symbol: step.symbol, quantity: dec(step.quantity!), cost: dec(step.cost!) })
}

/** E with the quotes that stood after `mseq`, the end of a segment; null when the log does not hold them any more. */
async function equityAt(deps: TradingDeps, compiled: Compiled, held: Held, mseq: number): Promise<Dec | null> {
  if (held.positions.size === 0) return held.balance
  const carried = await deps.marketlog.carry(compiled.spec.group, mseq + 1)
  if (carried.from !== mseq + 1) return null
  const view = new MarketView()
  view.carry(carried.events)
  const positions = [...held.positions.values()]
  const quoteOf = quotesOf(view)
  const needed = positions.flatMap(({ symbol }) => [
    symbol,
    ...compiled.markets
      .get(symbol)!
      .path!.filter((leg) => !leg.peg)
      .map((leg) => leg.symbol),
  ])
  if (needed.some((symbol) => !quoteOf(symbol))) return null
  return add(held.balance, unrealised(positions, compiled, quoteOf))
}
