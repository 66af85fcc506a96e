import type { TransitionResource } from '@assay/core/contracts/wire/assessment'
import type { Verb } from '../deps.ts'
import { type MoveInput, moveAssessment } from './move-assessment.ts'

/** started -> paused: flat accounts only; working orders are cancelled, clocks stand still, resets go on. */
export const pauseAssessment = (verb: Verb<MoveInput>): Promise<TransitionResource> =>
  moveAssessment(verb, { op: 'pause' })
