import { join } from 'node:path'
import { type Environment, environment, readConfig } from '@assay/core/kernel/config'
import { closeOnSignals } from '@assay/core/kernel/run'
import { services } from '@assay/services/all'
import { forgetInstance, recordInstance } from '../instance.ts'
import { ServerMissingError, ServerStartError } from '../stack/server.ts'
import { raiseStack, stackFolder } from '../stack/stack.ts'
import { VaultRefusal } from '../vault/admin.ts'
import { startFailure, welcome } from '../welcome.ts'
import { openDistributed, StartFailed } from './distributed.ts'
import { DEFAULT_REPLICAS } from './plan.ts'
import { ServerAwayError } from './reach-servers.ts'

export interface UpDistributed {
  /** as `--replicas` says; absent: the default */
  replicas: string | undefined
  /** of the gateway; absent: ASSAY_BASE_PORT, 8000 */
  basePort: number | undefined
}
/** Any of them set: the environment says where all servers are, and the stack stays down. */
const SERVERS = ['DATABASE_URL', 'KAFKA_BROKERS', 'REDIS_URL', 'REDIS_HOST', 'VAULT_ADDR', 'S3_BUCKET']

/** Their words say what to do. */
const KNOWN = [ServerMissingError, ServerStartError, ServerAwayError, AggregateError, StartFailed, VaultRefusal]

const began = performance.now()
const say = (line: string) => console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`)

/** One process per service and replica against real servers; ends on a signal. */
export async function upDistributed({ replicas = DEFAULT_REPLICAS, basePort }: UpDistributed): Promise<number> {
  try {
    const asked: Environment = { ...environment(), ASSAY_REPLICAS: replicas }
    const home = readConfig(asked).platform.ASSAY_HOME
    const own = SERVERS.every((name) => !asked[name])
    const env: Environment = { ...asked, ...(own && (await stack(home))) }
    const { platform: settings } = readConfig(
      env,
      services.map(({ config }) => config),
    )
    const platform = await openDistributed({
      home,
      env,
      replicas: settings.ASSAY_REPLICAS,
      basePort: basePort ?? settings.ASSAY_BASE_PORT,
      // those of a stack go with it
      logins: join(own ? stackFolder(home) : home, 'vault'),
      say,
    })
    recordInstance(home, { pid: process.pid, url: platform.url })
    let isStopping = false
    const close = async () => {
      isStopping = true
      say('stopping')
      await platform.close()
      if (own) say('stopped; the servers go on: ./assay stack down ends them')
      forgetInstance(home)
    }
    closeOnSignals(close)
    try {
      welcome({ url: platform.url, home, notices: await platform.start() })
    } catch (error) {
      // ended while it was starting: whoever asked for that exits
      if (!isStopping) {
        await close()
        throw error
      }
    }
    return await new Promise<number>(() => {})
  } catch (error) {
    const known = KNOWN.some((kind) => error instanceof kind)
    const reason = known ? (error as Error).message : startFailure(error, basePort)
    if (!reason) throw error
    console.error(`assay up: ${reason}`)
    return 1
  }
}

/** The servers of `assay stack`, started when they do not run. */
function stack(home: string): Promise<Readonly<Record<string, string>>> {
  say('no server is named in the environment: assay stack')
  return raiseStack(home, say)
}
