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
export const ruleWarning = defineTopic({
  name: 'rules.warning',
  summary: 'A configured share of what a loss rule allows is used up.',
  schema: z.object({ ...Place, ...Compared, phase: z.int(), fraction: z.string() }),
  key: 'assessment_id',
  producer: 'trading',
  retentionDays: 30,
})
export const ruleLocked = defineTopic({
  name: 'rules.locked',
  summary: 'A soft breach or a cap locked the account until that reset; a null rule unlocked it.',
  schema: z.object({
    ...Place,
    phase: z.int(),
    rule: z.string().nullable(),
    index: z.int().nonnegative().nullable(),
    until: z.int().nullable(),
  }),
  key: 'assessment_id',
  producer: 'trading',
  retentionDays: 30,
})
