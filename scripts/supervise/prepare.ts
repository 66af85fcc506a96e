import { type Environment, readConfig } from '@assay/core/kernel/config'
import { openDatabase } from '@assay/core/kernel/database'
import { openLog } from '@assay/core/kernel/log'
import { migrate } from '@assay/core/ports/db/migrate'

/** What must be there before the first process: the newest schema. */
export async function prepareStores(env: Environment, say: (line: string) => void): Promise<void> {
  const { platform } = readConfig(env)
  const log = openLog({ level: 'warn', format: 'text' }).logger
  const db = await openDatabase(platform, log)
  try {
    const applied = await migrate(db)
    say(applied.length > 0 ? `database: ${applied.length} migrations applied` : 'database: the schema is the newest')
  } finally {
    await db.close()
  }
}
