import { PageQuery } from '@assay/core/contracts/wire/page'
import { z } from 'zod'

const word = z.string().min(1).max(100)
/** Years that the database has too. */
export const isMoment = (ms: number): boolean => ms >= Date.UTC(1970, 0) && ms < Date.UTC(10_000, 0)
const SAID = 'must be a time such as 2026-01-31T12:00:00Z'
const moment = z.iso.datetime({ offset: true, message: SAID }).refine((text) => isMoment(Date.parse(text)), SAID)

export const AuditQuery = PageQuery.extend({
  tenant: word.optional().describe('Another tenant than the own one: operators of the platform only'),
  actor: word.optional().describe('User id, `anonymous` or the name of a service'),
  action: word.optional(),
  from: moment.optional().describe('Rows of this moment or later'),
  to: moment.optional().describe('Rows before this moment'),
})
export type AuditQuery = z.output<typeof AuditQuery>

export const AuditRow = z.object({
  tenant: z.string(),
  seq: z.int().describe('Place in the chain of the tenant, from 1'),
  id: z.uuid(),
  at: z.iso.datetime(),
  action: z.string(),
  actor: z.string(),
  detail: z.record(z.string(), z.unknown()),
  prev: z.string().describe('Hash of the row before; 64 zeros for the first'),
  hash: z
    .string()
    .describe('SHA-256 over prev and the canonical JSON (RFC 8785) of tenant, seq, id, at, action, actor, detail'),
})
export type AuditRow = z.infer<typeof AuditRow>
