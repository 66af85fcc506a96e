import type { AssessmentResource } from '@assay/core/contracts/wire/assessment'
import { type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import { requireScope } from '@assay/core/kernel/auth'
import { inTenant, ownerFilter } from '../access.ts'
import type { Verb } from '../deps.ts'
import { ASSESSMENT_COLUMNS, ASSESSMENT_TABLES, type AssessmentRow, assessmentOf } from './assessment-row.ts'

export interface AssessmentFilter {
  status?: string | undefined
  tier_id?: string | undefined
}

/** The caller's assessments, an operator's tenant's, newest first. */
export async function listAssessments({
  ctx,
  input,
  deps,
}: Verb<PageQuery & AssessmentFilter>): Promise<Page<AssessmentResource>> {
  const actor = requireScope(ctx, 'trading:read')
  const rows = await deps.db.query<AssessmentRow>(
    `select ${ASSESSMENT_COLUMNS} from ${ASSESSMENT_TABLES}
     where ${inTenant(actor, 'a.tenant', '$1')} and ($2::text is null or a.user_id = $2) and ($3::text is null or a.id < $3)
       and ($4::text is null or coalesce(c.status, 'created') = $4) and ($5::text is null or p.tier_id = $5)
     order by a.id desc limit $6`,
    [
      actor.tenant,
      ownerFilter(actor),
      input.cursor ?? null,
      input.status ?? null,
      input.tier_id ?? null,
      input.limit + 1,
    ],
  )
  return toPage(rows, input.limit, assessmentOf, (row) => row.id)
}
