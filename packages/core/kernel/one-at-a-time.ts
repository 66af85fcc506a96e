import type { Db } from '../ports/db/port.ts'

/** Runs what several processes must not do at once, such as making a first key; the others wait. `name` is its lock. */
export const oneAtATime = <T>(db: Db, name: string, work: () => Promise<T>): Promise<T> =>
  db.tx(async (sql) => {
    await sql.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [name])
    return work()
  })
