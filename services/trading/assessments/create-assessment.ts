import { AssayError } from '@assay/core/contracts/errors'
import { specOf } from '@assay/core/contracts/wire/account-spec'
import type { AssessmentResource } from '@assay/core/contracts/wire/assessment'
import type { TierDocument } from '@assay/core/contracts/wire/tier'
import { requireScope } from '@assay/core/kernel/auth'
import type { Row } from '@assay/core/ports/db/port'
import { maySee } from '../access.ts'
import { calendarsInForce } from '../calendars/calendars-in-force.ts'
import type { TradingDeps, Verb } from '../deps.ts'
import { takenAnswer } from '../engine-reply.ts'
import { once } from '../idempotency/once.ts'
import { keepDocuments } from '../proof/keep-documents.ts'
import { readAssessment } from './get-assessment.ts'

interface PurchaseRow extends Row {
  tenant: string
  user_id: string
  status: string
  tier: TierDocument
}

/**
 * The one assessment of a paid purchase. Row first, engine's account second, both under one id: a request that
 * finds the row without its account (the process died between) finishes it.
 */
export async function createAssessment(
  verb: Verb<{ purchase_id: string; key?: string | undefined }>,
): Promise<AssessmentResource> {
  const { ctx, input, deps } = verb
  const actor = requireScope(ctx, 'trading:write')
  const [purchase] = await deps.db.query<PurchaseRow>(
    'select tenant, user_id, status, tier from trading.purchase where id = $1',
    [input.purchase_id],
  )
  if (!purchase || !maySee(actor, { tenant: purchase.tenant, userId: purchase.user_id })) {
    throw new AssayError('not_found', 'No such purchase.', { field: 'purchase_id' })
  }
  if (purchase.status !== 'paid')
    throw new AssayError('conflict', `The purchase is ${purchase.status}.`, { field: 'purchase_id' })
  const asked = { ctx, route: 'POST /api/assessments', key: input.key, body: { purchase_id: input.purchase_id } }
  return once(deps, asked, async ({ subject, keep }) => {
    const { id, born } = await claimAssessment(deps, { id: subject, purchaseId: input.purchase_id, purchase })
    if (!born) {
      const { spec } = specOf(
        purchase.tier,
        (await deps.instruments()).map(({ document }) => document),
        { calendars: await calendarsInForce(deps.db, purchase.tenant) },
      )
      const meta = {
        commandId: `create:${id}`,
        requestId: ctx.requestId,
        spec,
        docs: await keepDocuments(deps.db, spec),
        tenant: purchase.tenant,
      }
      takenAnswer(await deps.engine.submit(id, { op: 'create' }, meta))
    }
    const assessment = await readAssessment(deps, id)
    await keep(deps.db, { value: assessment })
    return assessment
  })
}

interface Claim {
  id: string
  purchaseId: string
  purchase: PurchaseRow
}
/** The purchase's one row: made now, or left by an attempt that broke before its account was born, or our own of before. */
async function claimAssessment(
  deps: TradingDeps,
  { id, purchaseId, purchase }: Claim,
): Promise<{ id: string; born: boolean }> {
  const [made] = await deps.db.query(
    `insert into trading.assessment (id, tenant, user_id, purchase_id) values ($1, $2, $3, $4)
     on conflict (purchase_id) do nothing returning id`,
    [id, purchase.tenant, purchase.user_id, purchaseId],
  )
  if (made) return { id, born: false }
  const [there] = await deps.db.query<Row & { id: string; born: boolean }>(
    `select a.id, exists (select from trading.account c where c.account = a.id) as born
     from trading.assessment a where a.purchase_id = $1`,
    [purchaseId],
  )
  if (there!.born && there!.id !== id) {
    throw new AssayError('conflict', `The purchase has its assessment: ${there!.id}.`, { field: 'purchase_id' })
  }
  return there!
}
