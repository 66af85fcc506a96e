import type { AssessmentResource } from '@assay/core/contracts/wire/assessment'
import { openAssessment } from '../access.ts'
import type { TradingDeps, Verb } from '../deps.ts'
import { ASSESSMENT_COLUMNS, ASSESSMENT_TABLES, type AssessmentRow, assessmentOf } from './assessment-row.ts'

export async function getAssessment(verb: Verb<{ id: string }>): Promise<AssessmentResource> {
  await openAssessment(verb, 'trading:read')
  return readAssessment(verb.deps, verb.input.id)
}

/** The row of an assessment that is known to exist. */
export async function readAssessment(deps: TradingDeps, id: string): Promise<AssessmentResource> {
  const rows = await deps.db.query<AssessmentRow>(
    `select ${ASSESSMENT_COLUMNS} from ${ASSESSMENT_TABLES} where a.id = $1`,
    [id],
  )
  return assessmentOf(rows[0]!)
}
