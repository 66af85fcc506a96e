import { readFileSync } from 'node:fs'
import { type Environment, readConfig } from '@assay/core/kernel/config'
import { redisUrl } from '@assay/core/kernel/config/stores'
import { openDatabase } from '@assay/core/kernel/database'
import { openLog } from '@assay/core/kernel/log'
import { kafkaConnection } from '@assay/core/kernel/messaging'
import { openRedis } from '@assay/core/ports/cache/redis-server'
import { systemClock } from '@assay/core/ports/clock/system'
import { describeTarget, readDatabaseUrl } from '@assay/core/ports/db/postgres-url'
import { reach } from '@assay/core/ports/kafka/reach'
import { settle } from '../stack/settle.ts'

/** A server that the environment names cannot be used: names the variable. */
export class ServerAwayError extends Error {
  override name = 'ServerAwayError'
}
const REACH_MS = 10_000

/** Asks every server without which no service starts, all at once; one error says what each that failed said. */
export async function reachServers(env: Environment): Promise<void> {
  const config = readConfig(env)
  const { platform } = config
  const log = openLog({ level: 'silent', format: 'text' }).logger
  const { DATABASE_URL: database, KAFKA_BROKERS: brokers, VAULT_ADDR: vault } = platform
  const asked: Promise<void>[] = []
  const ask = (variable: string, at: string, answer: () => Promise<void>) =>
    asked.push(answer().catch((cause: Error) => Promise.reject(away(variable, at, cause))))
  if (database)
    ask('DATABASE_URL', describeTarget(readDatabaseUrl(database)), async () => {
      await (await openDatabase(platform, log)).close()
    })
  const kafka = kafkaConnection({ config, log })
  if (kafka) ask('KAFKA_BROKERS', brokers.join(), () => reach(kafka, systemClock, REACH_MS))
  const redis = redisUrl(platform)
  if (redis)
    ask(platform.REDIS_URL ? 'REDIS_URL' : 'REDIS_HOST', new URL(redis).host, async () => {
      const ca = pem(platform.REDIS_CA_FILE)
      await (await openRedis({ url: redis, ca, clock: systemClock, log })).close()
    })
  if (vault) ask('VAULT_ADDR', vault, () => unsealed(vault, pem(platform.VAULT_CACERT)))
  await settle(asked)
}

const pem = (path: string | undefined): string | undefined => path && readFileSync(path, 'utf8')

function away(variable: string, at: string, cause: Error): ServerAwayError {
  const said = (cause.message || cause.name).replace(/^REDIS_URL: /, '')
  return new ServerAwayError(`${variable}: the server at ${at} cannot be used: ${said}`, { cause })
}

async function unsealed(address: string, ca: string | undefined): Promise<void> {
  const answer = await fetch(`${address}/v1/sys/seal-status`, {
    signal: AbortSignal.timeout(REACH_MS),
    ...(ca && { tls: { ca } }),
  })
  if (!answer.ok) throw new Error(`it answers ${answer.status}`)
  const { sealed } = (await answer.json()) as { sealed: boolean }
  if (sealed) throw new Error('it is sealed')
}
