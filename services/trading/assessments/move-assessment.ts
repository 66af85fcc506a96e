import { AssessmentStatus, type TransitionResource } from '@assay/core/contracts/wire/assessment'
import type { Command } from '@assay/core/domain/engine/types'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'
import { takenAnswer } from '../engine-reply.ts'
import { once } from '../idempotency/once.ts'

export type MoveInput = { id: string; key?: string | undefined }

/** A command that changes the assessment's status; the same Idempotency-Key again gets the first answer. */
export async function moveAssessment(
  verb: Verb<MoveInput>,
  command: Extract<Command, { op: 'start' | 'abandon' }>,
): Promise<TransitionResource> {
  await openAssessment(verb, 'trading:write')
  const { ctx, input, deps } = verb
  const asked = { ctx, route: `POST /api/assessments/${input.id}/${command.op}`, key: input.key, body: {} }
  return once(deps, asked, async ({ subject, keep }) => {
    const reply = takenAnswer(
      await deps.engine.submit(input.id, command, { commandId: subject, requestId: ctx.requestId }),
    )
    const moved = { id: input.id, status: AssessmentStatus.parse(reply.answer.status), receipt: reply.receipt }
    await keep(deps.db, { value: moved })
    return moved
  })
}
