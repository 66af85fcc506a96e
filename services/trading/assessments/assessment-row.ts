import type { AssessmentResource } from '@assay/core/contracts/wire/assessment'
import type { Row } from '@assay/core/ports/db/port'
import { iso, isoOrNull } from '../time.ts'

interface PhaseJson {
  phase: number
  status: string
  verdict: string | null
  rule: string | null
  value: string | null
  limit: string | null
  initial_balance: string | null
  balance: string | null
  equity: string | null
  opened_mts: number | null
  ended_mts: number | null
}
export interface AssessmentRow extends Row {
  id: string
  user_id: string
  purchase_id: string
  tier_id: string
  tier_version: number
  tier_hash: string
  tier_name: string
  currency: string
  initial_balance: string
  status: AssessmentResource['status'] | null
  aseq: string | null
  phases: PhaseJson[] | null
  created_at: Date
}

/** Money leaves jsonb as text: as a JSON number it would be a float. */
export const ASSESSMENT_COLUMNS = `a.id, a.user_id, a.purchase_id, p.tier_id, p.tier_version, p.tier_hash, p.tier ->> 'name' as tier_name,
  p.currency, p.tier ->> 'initial_balance' as initial_balance, a.created_at, c.status, c.aseq,
  (select jsonb_agg(jsonb_build_object('phase', f.phase, 'status', f.status, 'verdict', f.verdict, 'rule', f.rule, 'value', f.value::text,
    'limit', f.limit_value::text, 'initial_balance', f.initial_balance::text, 'balance', f.balance::text, 'equity', f.equity::text,
    'opened_mts', f.opened_mts, 'ended_mts', f.ended_mts) order by f.phase) from trading.phases f where f.account = a.id) as phases`
export const ASSESSMENT_TABLES = `trading.assessment a join trading.purchase p on p.id = a.purchase_id
  left join trading.account c on c.account = a.id`

export const assessmentOf = (row: AssessmentRow): AssessmentResource => ({
  id: row.id,
  user_id: row.user_id,
  purchase_id: row.purchase_id,
  tier_id: row.tier_id,
  tier_version: row.tier_version,
  tier_hash: row.tier_hash,
  tier_name: row.tier_name,
  currency: row.currency,
  initial_balance: row.initial_balance,
  status: row.status ?? 'created',
  records: Number(row.aseq ?? 0),
  phases: (row.phases ?? []).map(({ opened_mts, ended_mts, ...phase }) => ({
    ...phase,
    opened_at: isoOrNull(opened_mts),
    ended_at: isoOrNull(ended_mts),
  })),
  created_at: iso(row.created_at),
})
