import { z } from 'zod'
import { defineTopic } from './topic.ts'

/** Where an event stands: its assessment's journal, the market log, market time in ms. */
export const Place = {
  assessment_id: z.string(),
  aseq: z.int().nonnegative(),
  mseq: z.int().nonnegative(),
  mts: z.int(),
}
const topic = <Shape extends z.core.$ZodLooseShape>(name: string, summary: string, shape: Shape) =>
  defineTopic({
    name: `assessment.${name}`,
    summary,
    schema: z.object({ ...Place, ...shape }),
    key: 'assessment_id',
    producer: 'trading',
    retentionDays: 30,
  })

export const assessmentCreated = topic('created', 'A purchase became an assessment.', {
  currency: z.string(),
  initial_balance: z.string(),
})
export const assessmentStarted = topic('started', 'Its first phase opened; it can be traded.', {})
export const assessmentPaused = topic('paused', 'Its trader paused it: no orders, clocks stand still.', {
  phase: z.int().nonnegative(),
  count: z.int().positive(),
})
export const assessmentResumed = topic('resumed', 'It goes on; `reason` where it went on by itself.', {
  phase: z.int().nonnegative(),
  reason: z.string().optional(),
})
export const assessmentPhaseChanged = topic('phase-changed', 'A phase opened, or was passed, failed or expired.', {
  phase: z.int().nonnegative(),
  status: z.enum(['opened', 'passed', 'failed', 'expired']),
  balance: z.string(),
})
export const assessmentAbandoned = topic('abandoned', 'Its trader gave it up.', {
  balance: z.string(),
  equity: z.string(),
})
export const assessmentCompleted = topic('completed', 'It was decided; `rule` is null when it passed.', {
  outcome: z.enum(['passed', 'failed', 'expired']),
  phase: z.int().nonnegative(),
  rule: z.string().nullable(),
  value: z.string().nullable(),
  limit: z.string().nullable(),
  balance: z.string(),
  equity: z.string(),
})
