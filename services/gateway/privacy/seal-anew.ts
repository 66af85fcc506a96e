import type { Db } from '@assay/core/ports/db/port'
import type { Secrets } from '@assay/core/ports/secrets/port'
import { INVITED, USER_KEYS, type WrappedColumn } from './wrapped.ts'

const BATCH = 100
const FIRST = '00000000-0000-0000-0000-000000000000'

/**
 * What keys of the secrets store have sealed is sealed by their newest versions, and who had an older one reads it no
 * more. Beside running gateways too: a row that changes meanwhile is left as it then is. The rows that were sealed.
 */
export async function sealAnew(db: Db, secrets: Pick<Secrets, 'encrypt' | 'decrypt'>): Promise<number> {
  let sealed = 0
  for (const wrapped of [USER_KEYS, INVITED]) sealed += await sealColumn(db, secrets, wrapped)
  return sealed
}

async function sealColumn(
  db: Db,
  secrets: Pick<Secrets, 'encrypt' | 'decrypt'>,
  { table, column, id, key, context }: WrappedColumn,
): Promise<number> {
  const service = db.as('gateway')
  let sealed = 0
  for (let after = FIRST; ; ) {
    const rows = await service.query<{ id: string; old: string }>(
      `select ${id} as id, ${column} as old from ${table} where ${id} > $1 order by ${id} limit ${BATCH}`,
      [after],
    )
    for (const { id: of, old } of rows) {
      const anew = await secrets.encrypt(key, await secrets.decrypt(key, old, context(of)), context(of))
      await service.query(`update ${table} set ${column} = $3 where ${id} = $1 and ${column} = $2`, [of, old, anew])
      sealed++
    }
    if (rows.length < BATCH) return sealed
    after = rows.at(-1)!.id
  }
}
