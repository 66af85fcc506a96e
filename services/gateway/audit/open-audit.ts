import { oneAtATime } from '@assay/core/kernel/one-at-a-time'
import type { Consumer, Deps } from '@assay/core/kernel/service'
import { Counter } from 'prom-client'
import type { AuthDatabase } from '../auth/database.ts'
import { onAuditRecorded } from '../consumers/audit-recorded.ts'
import { openAuditKeys } from './keys.ts'
import { countRefusals, type Refusals } from './refusals.ts'
import { writeCheckpoint } from './write-checkpoint.ts'

/** What is written between two checkpoints can be cut off by who owns the database, unseen. */
export const CHECKPOINT_EVERY_MS = 5 * 60_000

export interface Audit {
  consumer: Consumer
  refusals: Refusals
  /** signs what has grown since the last one */
  checkpoint(): Promise<void>
  /** once consumers have ended: what is left */
  close(): Promise<void>
}
export type AuditDeps = Pick<Deps, 'db' | 'blobs' | 'secrets' | 'clock' | 'home' | 'metrics'>

export async function openAudit(deps: AuditDeps, database: AuthDatabase): Promise<Audit> {
  const { blobs, secrets, clock, home, metrics } = deps
  const db = deps.db.as('gateway')
  const keys = await oneAtATime(db, 'gateway.audit-keys', () => openAuditKeys({ secrets, clock, home }))
  const refused = new Counter({
    name: 'authorization_refused_total',
    help: 'Requests with a credential that is not accepted (401) or may not do what was asked (403)',
    labelNames: ['status'],
    registers: [metrics],
  })
  const refusals = countRefusals({ database, onRefused: (status) => refused.inc({ status: String(status) }) })
  const checkpoint = async () => {
    while (await writeCheckpoint({ db, blobs, keys, clock }));
  }
  return {
    consumer: onAuditRecorded(db),
    refusals,
    checkpoint,
    async close() {
      await refusals.flush()
      await checkpoint()
    },
  }
}
