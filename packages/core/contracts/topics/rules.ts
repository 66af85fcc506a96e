import { z } from 'zod'
import { Place } from './assessment.ts'
import { defineTopic } from './topic.ts'

const Compared = { rule: z.string(), index: z.int().nonnegative(), value: z.string(), limit: z.string() }

export const violationDetected = defineTopic({
  name: 'rules.violation-detected',
  summary: 'A rule was broken, for good.',
  schema: z.object({
    ...Place,
    ...Compared,
    phase: z.int(),
    effect: z.enum(['hard', 'soft', 'gate', 'flag']),
    balance: z.string(),
    equity: z.string(),
  }),
  key: 'assessment_id',
  producer: 'trading',
  retentionDays: 30,
})
export const violationProvisional = defineTopic({
  name: 'rules.provisional',
  summary: 'A rule looks broken by a mark that is in doubt; it is confirmed as a violation, or withdrawn.',
  schema: z.object({ ...Place, ...Compared, phase: z.int(), status: z.enum(['suspected', 'withdrawn']) }),
  key: 'assessment_id',
  producer: 'trading',
  retentionDays: 30,
})
