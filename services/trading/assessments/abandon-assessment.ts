import type { TransitionResource } from '@assay/core/contracts/wire/assessment'
import type { Verb } from '../deps.ts'
import { type MoveInput, moveAssessment } from './move-assessment.ts'

/** Ends it by the trader's wish: working orders cancelled, positions closed like market orders. */
export const abandonAssessment = (verb: Verb<MoveInput>): Promise<TransitionResource> =>
  moveAssessment(verb, { op: 'abandon' })
