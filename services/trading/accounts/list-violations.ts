import type { ViolationResource } from '@assay/core/contracts/wire/account'
import { numberCursor, type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import { dec, str } from '@assay/core/domain/money/dec'
import type { Row } from '@assay/core/ports/db/port'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'
import { iso } from '../time.ts'
import { CURRENT_PHASE, type PhaseInput } from './live.ts'

interface ViolationRow extends Row {
  aseq: string
  phase: number
  rule: string
  idx: number
  effect: string
  value: string
  limit_value: string
  balance: string
  equity: string
  crossed: ViolationResource['crossed']
  marks: ViolationResource['marks']
  provisional: boolean
  withdrawn_aseq: string | null
  mseq: string
  mts: string
}

/** Violations, newest first: the attributed rule, every other limit crossed, the marks that decided. */
export async function listViolations(verb: Verb<PageQuery & PhaseInput>): Promise<Page<ViolationResource>> {
  await openAssessment(verb, 'trading:read')
  const { input, deps } = verb
  const rows = await deps.db.query<ViolationRow>(
    `select aseq, phase, rule, idx, effect, value, limit_value, balance, equity, crossed, marks, provisional, withdrawn_aseq, mseq, mts
     from trading.violations where account = $1 and phase = ${CURRENT_PHASE} and ($3::bigint is null or aseq < $3)
     order by aseq desc limit $4`,
    [input.id, input.phase ?? null, numberCursor(input.cursor), input.limit + 1],
  )
  return toPage(rows, input.limit, violationOf, (row) => row.aseq)
}

const violationOf = (row: ViolationRow): ViolationResource => ({
  id: `v${row.aseq}`,
  phase: row.phase,
  rule: row.rule,
  index: row.idx,
  effect: row.effect,
  value: str(dec(row.value)),
  limit: str(dec(row.limit_value)),
  balance: str(dec(row.balance)),
  equity: str(dec(row.equity)),
  crossed: row.crossed,
  marks: row.marks,
  provisional: row.provisional,
  withdrawn_aseq: row.withdrawn_aseq === null ? null : Number(row.withdrawn_aseq),
  aseq: Number(row.aseq),
  mseq: Number(row.mseq),
  at: iso(row.mts),
})
