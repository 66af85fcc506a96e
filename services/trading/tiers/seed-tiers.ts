import type { TierDocument } from '@assay/core/contracts/wire/tier'
import { canonical } from '@assay/core/domain/journal/canonical'
import { sha256Hex } from '@assay/core/domain/journal/hash'
import type { Db } from '@assay/core/ports/db/port'

/**
 * Puts a catalogue on sale in a tenant; a changed document is the next version, what was bought keeps its own. What
 * operators have changed or retired stays as they left it.
 */
export async function seedTiers(
  db: Db,
  tenant: string,
  catalogue: Readonly<Record<string, TierDocument>>,
): Promise<void> {
  await db.batch([
    ...Object.entries(catalogue).map(([id, document]) => ({
      sql: `insert into trading.tier (tenant, id, version, hash, document) values ($1, $2, 1, $3, $4::jsonb)
            on conflict (tenant, id) do update set version = tier.version + 1, hash = excluded.hash, document = excluded.document
            where tier.hash <> excluded.hash and tier.origin = 'catalogue'`,
      params: [tenant, id, sha256Hex(canonical(document)), JSON.stringify(document)],
    })),
    {
      sql: `insert into trading.tier_version (tenant, id, version, hash, document, made_by)
            select tenant, id, version, hash, document, origin from trading.tier where tenant = $1 on conflict do nothing`,
      params: [tenant],
    },
  ])
}
