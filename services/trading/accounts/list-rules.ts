import type { RuleList } from '@assay/core/contracts/wire/account'
import type { Row } from '@assay/core/ports/db/port'
import type { TradingDeps, Verb } from '../deps.ts'
import { iso, isoOrNull } from '../time.ts'
import { accountSpec } from './account-spec.ts'
import { openPhase, type PhaseInput } from './live.ts'

/** Every rule of the phase: where it stands, its limit, what is left; of an ended phase the last limits. */
export async function listRules(verb: Verb<PhaseInput>): Promise<RuleList> {
  const { live, past } = await openPhase(verb)
  const items = past
    ? await endedRules(verb.deps, live.account, past.phase)
    : live.rules.map((rule) => ({ ...rule, reached_at: isoOrNull(rule.reached_at) }))
  return {
    items,
    provisional: past ? false : live.provisional,
    unknown_symbols: past ? [] : live.unknown_symbols,
    phase: past?.phase ?? live.phase,
    mseq: live.mseq,
    at: iso(live.mts),
  }
}

interface RecordRow extends Row {
  kind: 'floor' | 'target'
  mts: string
  record: string
}
/** From the specification and the last floor and first target records of the phase. */
async function endedRules(deps: TradingDeps, account: string, phase: number): Promise<RuleList['items']> {
  const spec = await accountSpec(deps, account)
  const records = await deps.db.query<RecordRow>(
    `select kind, mts, record from trading.journal where account = $1 and kind in ('floor', 'target')
     and (record::jsonb ->> 'phase')::int = $2 order by aseq`,
    [account, phase],
  )
  const floors = new Map<number, string>()
  const reached = new Map<number, string>()
  for (const { kind, mts, record } of records) {
    const body = JSON.parse(record) as { index: number; floor?: string; reached?: boolean }
    if (kind === 'floor') floors.set(body.index, body.floor!)
    else if (body.reached && !reached.has(body.index)) reached.set(body.index, mts)
  }
  return spec.phases[phase]!.rules.map((rule, index) => ({
    rule: rule.rule,
    index,
    effect: rule.effect,
    metric: 'metric' in rule ? rule.metric : null,
    value: null,
    limit: floors.get(index) ?? null,
    remaining: null,
    fraction: null,
    permitted_loss: null,
    met: rule.rule === 'profit_target' ? reached.has(index) : null,
    compare: 'compare' in rule ? rule.compare : null,
    reached_at: isoOrNull(reached.get(index) ?? null),
    effective_target: null,
    prices: [],
  }))
}
