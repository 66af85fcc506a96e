import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLog } from '@assay/core/kernel/log'
import { systemClock } from '@assay/core/ports/clock/system'
import { openPostgres } from '@assay/core/ports/db/postgres'
import { openVault } from '@assay/core/ports/secrets/vault'
import { freePortTable } from '../../scripts/stack/ports.ts'
import { stackEnvironment } from '../../scripts/stack/stack.ts'
import type { ProcessRecord } from '../../scripts/supervise/processes.ts'
import { runCommand, scratchHome, startProcess } from '../e2e/platform.ts'
import { SETTINGS, type World, worldOf } from './world.ts'

export interface SplitWorld extends World {
  processes(): ProcessRecord[]
}
const START_MS = 400_000
/** of pino: a warning or worse */
const isFault = (line: string) => /"level":(?:"(?:warn|error|fatal)"|[456]0)/.test(line)

/** `up --distributed`: each service in processes of its own behind the gateway, mutual TLS between them, servers of its own. */
export async function openSplitWorld(): Promise<SplitWorld> {
  const { home, remove } = scratchHome()
  const closing = [remove, () => runCommand(home, ['stack', 'down', '--wipe'])]
  const close = async () => {
    for (const step of closing.splice(0).toReversed()) await step()
  }
  try {
    const port = await freePortTable()
    const { url, stop } = await startProcess(home, {
      env: { ...SETTINGS, LOG_LEVEL: 'warn', LOG_FORMAT: 'json' },
      argv: ['--distributed', `--port=${port}`, '--replicas=trading=2,websocket=1,market-data=1'],
      startMs: START_MS,
    })
    closing.push(() => stop())
    const { DATABASE_URL, VAULT_ADDR, VAULT_TOKEN } = stackEnvironment(home) ?? {}
    const [clock, log] = [systemClock, openLog({ level: 'silent', format: 'text' }).logger]
    const login = { method: 'token', token: VAULT_TOKEN!, refuseRoot: false } as const
    const secrets = await openVault({ address: VAULT_ADDR!, login, clock, log })
    closing.push(() => secrets.close())
    const db = await openPostgres({ url: DATABASE_URL!, log, connections: 2 })
    closing.push(() => db.close())
    const logs = join(home, 'logs')
    const faults = () =>
      readdirSync(logs).flatMap((name) => readFileSync(join(logs, name), 'utf8').split('\n').filter(isFault))
    const world = await worldOf({ url, deps: { db, secrets, clock, home }, faults, close })
    const processes = () => JSON.parse(readFileSync(join(home, 'processes.json'), 'utf8')) as ProcessRecord[]
    return Object.assign(world, { processes })
  } catch (error) {
    await close()
    throw error
  }
}
