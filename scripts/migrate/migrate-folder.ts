import { catalogOf } from '@assay/core/kernel/messaging'
import { type Movable, markMoved } from '@assay/core/kernel/moved'
import { migrate, pending } from '@assay/core/ports/db/migrate'
import { applyTopics } from '@assay/core/ports/kafka/topics'
import { type Claim, dropClaim, makeClaim } from './claim.ts'
import type { Ends } from './ends.ts'
import { moveBlobs } from './move-blobs.ts'
import { moveDatabase } from './move-database.ts'
import { moveMarketLog } from './move-market-log.ts'
import { moveSecrets } from './move-secrets.ts'
import { BUS_TABLES, moveTopics } from './move-topics.ts'
import { rewrapWith } from './rewrap.ts'
import { counted, type Say } from './step.ts'

export interface Move {
  /** this folder's own, interrupted */
  claim: Claim | null
  /** the folder stays startable */
  keep: boolean
  say: Say
}
/** Built in the target while the market log is copied. */
const BUILT_THERE = 'bus.segment'

/**
 * Everything goes to its server; the tables last, in one transaction: until its commit the target is none, and the
 * same command goes on with what is there. Then the folder says where it went.
 */
export async function migrateFolder(ends: Ends, { claim: begun, keep, say }: Move): Promise<void> {
  const { home, config, database, kafka, blobs, secrets, to } = ends
  const { source, target } = database
  if (begun)
    say('database', begun.copied ? 'the interrupted move had copied everything' : 'the interrupted move goes on')
  const behind = await migrate(source)
  if (behind.length > 0) say('folder', `${counted(behind.length, 'migration')} applied to the folder's own database`)
  const applied = (await pending(target)).length > 0 ? await migrate(target) : []
  say('database', `schema: ${counted(applied.length, 'migration')} applied`)
  const claim = begun ?? (await makeClaim(target, home, to as Record<string, string>))
  if (!claim.copied) {
    if (blobs) await moveBlobs(blobs.source, blobs.target, say)
    if (secrets) await moveSecrets(secrets.source, secrets.target, say)
    if (kafka) {
      const { created } = await applyTopics(kafka.connection, catalogOf(kafka.connection, config))
      say('kafka', `${counted(created.length, 'topic')} made`)
      for (const group of kafka.groups)
        await moveMarketLog({ group, source: kafka.source, open: kafka.open, target, say })
      await moveTopics(source, kafka.connection, say)
    }
    await moveDatabase({
      source,
      target,
      without: kafka ? [...BUS_TABLES, BUILT_THERE] : [],
      rewrap: secrets ? rewrapWith(secrets.source, secrets.target) : undefined,
      say,
    })
  }
  if (!keep) await markMoved(home, { id: claim.id, at: new Date().toISOString(), to: to as Record<Movable, string> })
  await dropClaim(target, home)
}
