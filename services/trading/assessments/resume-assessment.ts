import type { TransitionResource } from '@assay/core/contracts/wire/assessment'
import type { Verb } from '../deps.ts'
import { type MoveInput, moveAssessment } from './move-assessment.ts'

/** paused -> started: what was due is due later by as long as the pause was. */
export const resumeAssessment = (verb: Verb<MoveInput>): Promise<TransitionResource> =>
  moveAssessment(verb, { op: 'resume' })
