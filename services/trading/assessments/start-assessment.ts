import type { TransitionResource } from '@assay/core/contracts/wire/assessment'
import type { Verb } from '../deps.ts'
import { type MoveInput, moveAssessment } from './move-assessment.ts'

/** created -> started: phase 0 opens, its day 0 begins. */
export const startAssessment = (verb: Verb<MoveInput>): Promise<TransitionResource> =>
  moveAssessment(verb, { op: 'start' })
