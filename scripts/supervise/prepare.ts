import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Environment, readConfig } from '@assay/core/kernel/config'
import { openDatabase } from '@assay/core/kernel/database'
import { openLog } from '@assay/core/kernel/log'
import { catalogOf, kafkaConnection } from '@assay/core/kernel/messaging'
import { systemClock } from '@assay/core/ports/clock/system'
import { migrate } from '@assay/core/ports/db/migrate'
import { whileReachable } from '@assay/core/ports/kafka/reach'
import { applyTopics } from '@assay/core/ports/kafka/topics'
import { vaultAdmin } from '../vault/admin.ts'
import { setUpVault } from '../vault/setup.ts'

/** Logins of the services at the secrets server, by service; made where the environment holds an administrator's token. */
export async function prepareLogins(
  env: Environment,
  folder: string,
  say: (line: string) => void,
): Promise<(service: string) => Record<string, string>> {
  if (!env.VAULT_ADDR || !env.VAULT_TOKEN) return () => ({})
  await setUpVault({ vault: vaultAdmin(env), folder, renew: false, progress: () => {} })
  say('secrets server: engines, policies and a login for each service')
  return (service) => {
    const login = readFileSync(join(folder, `${service}.env`), 'utf8')
    return Object.fromEntries(login.split('\n').flatMap((line) => (/^\w+=/.test(line) ? [split(line)] : [])))
  }
}
const split = (line: string): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]

/** What must be there before the first process: every topic, the newest schema. */
export async function prepareStores(env: Environment, say: (line: string) => void): Promise<void> {
  const config = readConfig(env)
  const { platform } = config
  const log = openLog({ level: 'error', format: 'text' }).logger
  const connection = kafkaConnection({ config, log })
  if (connection) {
    const apply = () => applyTopics(connection, catalogOf(connection, config))
    const { created, grown, changed } = await whileReachable(connection, systemClock, apply)
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
