import { AssessmentStatus, type TransitionResource } from '@assay/core/contracts/wire/assessment'
import type { Answer, Command } from '@assay/core/domain/engine/types'
import type { Receipt } from '@assay/core/domain/journal/receipt'
import type { Row } from '@assay/core/ports/db/port'
import { openAssessment } from '../access.ts'
import type { TradingDeps, Verb } from '../deps.ts'
import type { Reply } from '../engine/types.ts'
import { takenAnswer } from '../engine-reply.ts'
import { once } from '../idempotency/once.ts'

export type MoveInput = { id: string; key?: string | undefined }

/** A command that changes the assessment's status; the same Idempotency-Key again gets the first answer. */
export async function moveAssessment(
  verb: Verb<MoveInput>,
  command: Extract<Command, { op: 'start' | 'pause' | 'resume' | 'abandon' }>,
): Promise<TransitionResource> {
  await openAssessment(verb, 'trading:write')
  const { ctx, input, deps } = verb
  const asked = { ctx, route: `POST /api/assessments/${input.id}/${command.op}`, key: input.key, body: {} }
  return once(deps, asked, async ({ subject, keep }) => {
    const before = await storedAnswer(deps, input.id, subject)
    const reply = takenAnswer(
      before ?? (await deps.engine.submit(input.id, command, { commandId: subject, requestId: ctx.requestId })),
    )
    const moved = { id: input.id, status: AssessmentStatus.parse(reply.answer.status), receipt: reply.receipt }
    await keep(deps.db, { value: moved })
    return moved
  })
}

/** What an attempt that broke off had been answered. */
async function storedAnswer(deps: TradingDeps, account: string, commandId: string): Promise<Reply | null> {
  const [row] = await deps.db.query<Row & { record: string; receipt: Receipt }>(
    `select c.record, s.receipt from trading.journal c join trading.journal s on s.account = c.account and s.aseq = c.sealed_aseq
     where c.account = $1 and c.command_id = $2`,
    [account, commandId],
  )
  if (!row) return null
  const { answer } = JSON.parse(row.record) as { answer: Answer }
  return { kind: 'answer', answer, receipt: row.receipt, replayed: true }
}
