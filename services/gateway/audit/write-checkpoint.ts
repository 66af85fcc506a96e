import { type ChainHead, checkpointHash, signCheckpoint } from '@assay/core/domain/audit/checkpoint'
import type { Keyring } from '@assay/core/kernel/keyring'
import type { Blobs } from '@assay/core/ports/blobs/port'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Db } from '@assay/core/ports/db/port'

/** Where checkpoints are kept, outside the database that they vouch for. */
export const CHECKPOINTS = 'audit/checkpoints/'
/** Chains that one checkpoint holds at most; the others are in the next. */
const HEADS = 1_000

export interface CheckpointDeps {
  /** role gateway */
  db: Db
  blobs: Pick<Blobs, 'put'>
  keys: Keyring
  clock: Clock
}

/**
 * Signs where the chains stand that grew since the last time and keeps it in the blobs. Several processes may do it at
 * once: one is recorded, the other's blob is one more witness. False when nothing had grown.
 */
export async function writeCheckpoint({ db, blobs, keys, clock }: CheckpointDeps): Promise<boolean> {
  const grown = await db.query<{ tenant: string; seq: string; hash: string }>(
    `select tenant, seq, hash from audit_head where seq > checked_seq order by tenant limit ${HEADS}`,
  )
  if (grown.length === 0) return false
  const [last] = await db.query<{ number: string; hash: string }>(
    'select number, hash from audit_checkpoint order by number desc limit 1',
  )
  const heads: Record<string, ChainHead> = {}
  for (const { tenant, seq, hash } of grown) heads[tenant] = { seq: Number(seq), hash }
  const number = Number(last?.number ?? 0) + 1
  const at = clock.now()
  const text = signCheckpoint({ v: 1, number, at, previous: last?.hash ?? null, heads }, keys.signer)
  const hash = checkpointHash(text)
  const name = `${CHECKPOINTS}${String(number).padStart(12, '0')}-${hash.slice(0, 16)}.json`
  await blobs.put(name, Buffer.from(text))
  const recorded = await db.tx(async (sql) => {
    const rows = await sql.query(
      `insert into audit_checkpoint (number, at, name, hash) values ($1, $2, $3, $4)
       on conflict (number) do nothing returning number`,
      [number, new Date(at), name, hash],
    )
    if (rows.length === 0) return false
    for (const { tenant, seq } of grown)
      await sql.query('update audit_head set checked_seq = greatest(checked_seq, $2::bigint) where tenant = $1', [
        tenant,
        seq,
      ])
    return true
  })
  return recorded
}
