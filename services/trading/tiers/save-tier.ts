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

/** Puts a version on sale: the first of its id, or the one that follows what stands. False: it is not what the caller saw. */
export async function saveTier(sql: Sql, tier: TierVersion): Promise<boolean> {
  const { tenant, id, version, document, madeBy, accepted } = tier
  const stored = [tenant, id, version, hashOf(document), JSON.stringify(document)]
  const [saved] = await sql.query<Row>(
    version === 1
      ? `insert into trading.tier (tenant, id, version, hash, document, origin) values ($1, $2, $3, $4, $5::jsonb, 'operator')
         on conflict (tenant, id) do nothing returning id`
      : `update trading.tier set version = $3, hash = $4, document = $5::jsonb, origin = 'operator'
         where tenant = $1 and id = $2 and version = $3 - 1 and active returning id`,
    stored,
  )
  if (!saved) return false
  await sql.query(
    `insert into trading.tier_version (tenant, id, version, hash, document, made_by, accepted)
     values ($1, $2, $3, $4, $5::jsonb, $6, $7::jsonb)`,
    [...stored, madeBy, accepted.length > 0 ? JSON.stringify(accepted) : null],
  )
  return true
}
