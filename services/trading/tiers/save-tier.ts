import type { TierDocument } from '@assay/core/contracts/wire/tier'
import { canonical } from '@assay/core/domain/journal/canonical'
import { sha256Hex } from '@assay/core/domain/journal/hash'
import type { Row, Sql } from '@assay/core/ports/db/port'

export interface TierVersion {
  tenant: string
  id: string
  version: number
  document: TierDocument
  madeBy: string
  accepted: readonly string[]
}
export const hashOf = (document: TierDocument): string => sha256Hex(canonical(document))

/**
 * Puts a version on sale: the first of its id, the next one of an id that was retired, or the one that follows what
 * stands. Its number; null: it is not what the caller saw.
 */
export async function saveTier(sql: Sql, tier: TierVersion): Promise<number | null> {
  const { tenant, id, version, document, madeBy, accepted } = tier
  const stored = [hashOf(document), JSON.stringify(document)]
  const [saved] = await sql.query<Row & { version: number }>(
    version === 1
      ? `insert into trading.tier (tenant, id, version, hash, document, origin) values ($1, $2, $3, $4, $5::jsonb, 'operator')
         on conflict (tenant, id) do update set version = tier.version + 1, hash = excluded.hash,
           document = excluded.document, origin = 'operator', active = true
         where not tier.active returning version`
      : `update trading.tier set version = $3, hash = $4, document = $5::jsonb, origin = 'operator'
         where tenant = $1 and id = $2 and version = $3 - 1 and active returning version`,
    [tenant, id, version, ...stored],
  )
  if (!saved) return null
  await sql.query(
    `insert into trading.tier_version (tenant, id, version, hash, document, made_by, accepted)
     values ($1, $2, $3, $4, $5::jsonb, $6, $7::jsonb)`,
    [tenant, id, saved.version, ...stored, madeBy, accepted.length > 0 ? JSON.stringify(accepted) : null],
  )
  return saved.version
}
