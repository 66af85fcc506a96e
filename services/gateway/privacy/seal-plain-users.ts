import type { AuthDatabase } from '../auth/database.ts'
import { PERSONAL_COLUMNS } from './personal-fields.ts'

interface PlainUser extends Record<string, unknown> {
  id: string
  email: string
}
const BATCH = 100

/** Seals users from before their fields were sealed. Any number of processes may do it at once. */
export async function sealPlainUsers(database: AuthDatabase): Promise<number> {
  let sealed = 0
  for (;;) {
    const done = await database.inTransaction(async (sql) => {
      const rows = await sql.query<PlainUser>(
        `select id, ${PERSONAL_COLUMNS.join(', ')} from users where email_index is null and erased_at is null
          order by id limit ${BATCH} for update skip locked`,
      )
      for (const row of rows) {
        await database.addKey(row.id)
        const values: (string | null)[] = []
        for (const column of PERSONAL_COLUMNS) {
          const plain = row[column]
          values.push(typeof plain === 'string' && plain !== '' ? await database.seal(row.id, column, plain) : null)
        }
        const [email, pending, name, image] = values
        await sql.query(
          `update users set email = $2, pending_email = $3, name = $4, image = $5, email_index = $6 where id = $1`,
          [row.id, email!, pending!, name ?? '', image!, database.emailIndex(row.email)],
        )
      }
      return rows.length
    })
    sealed += done
    if (done < BATCH) return sealed
  }
}
