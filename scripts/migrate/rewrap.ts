import type { Secrets } from '@assay/core/ports/secrets/port'
import { INVITED, USER_KEYS, type WrappedColumn } from '@assay/services/gateway/privacy/wrapped'
import type { SecretsFile } from './move-secrets.ts'
import { MigrateError } from './step.ts'
import type { Table } from './tables.ts'

/** What keys that never leave their store have sealed: it is opened by the file's and sealed by the server's. */
export const WRAPPED: readonly WrappedColumn[] = [USER_KEYS, INVITED]

export interface RewrapColumn {
  column: string
  /** the column of each row, changed in place; `field` is where a column's text stands */
  rows(rows: Record<string, string | null>[], field: (column: string) => string): Promise<void>
}
export interface Rewrap {
  /** undefined: nothing of this table is sealed so */
  of(table: Table): RewrapColumn | undefined
}
const AT_ONCE = 16

export const rewrapWith = (from: Pick<SecretsFile, 'decrypt'>, to: Pick<Secrets, 'encrypt' | 'decrypt'>): Rewrap => ({
  of(table) {
    const wrapped = WRAPPED.find((one) => one.table === table.name)
    if (!wrapped) return undefined
    const { column, id, key: name, context } = wrapped
    async function one(row: Record<string, string | null>, field: (column: string) => string): Promise<void> {
      const sealed = row[field(column)]
      if (sealed === null || sealed === undefined) return
      const place = context(row[field(id)]!)
      const plain = from.decrypt({ name, sealed, context: place })
      const anew = await to.encrypt(name, plain, place)
      if (!Buffer.from(await to.decrypt(name, anew, place)).equals(plain))
        throw new MigrateError(`${table.name}: what the server sealed does not read back`)
      row[field(column)] = anew
    }
    return {
      column,
      async rows(rows, field) {
        for (let at = 0; at < rows.length; at += AT_ONCE)
          await Promise.all(rows.slice(at, at + AT_ONCE).map((row) => one(row, field)))
      },
    }
  },
})
