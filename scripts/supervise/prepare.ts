import { type Environment, readConfig } from '@assay/core/kernel/config'
import { openDatabase } from '@assay/core/kernel/database'
import { openLog } from '@assay/core/kernel/log'
import { catalogOf, kafkaConnection } from '@assay/core/kernel/messaging'
import { migrate } from '@assay/core/ports/db/migrate'
import { applyTopics } from '@assay/core/ports/kafka/topics'

/** What must be there before the first process: every topic, the newest schema. */
export async function prepareStores(env: Environment, say: (line: string) => void): Promise<void> {
  const config = readConfig(env)
  const { platform } = config
  const log = openLog({ level: 'error', format: 'text' }).logger
  const connection = kafkaConnection({ config, log })
  if (connection) {
    const { created, grown, changed } = await applyTopics(connection, catalogOf(connection, config))
    say(`kafka: ${created.length} topics made, ${grown.length + changed.length} changed`)
  }
  const db = await openDatabase(platform, log)
  try {
    const applied = await migrate(db)
    say(applied.length > 0 ? `database: ${applied.length} migrations applied` : 'database: the schema is the newest')
  } finally {
    await db.close()
  }
}
