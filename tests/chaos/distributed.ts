/** `up --distributed` on real servers, with logins of the database that the secrets server issues and ends all the time. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import type { ProcessRecord } from '../../scripts/supervise/processes.ts'
import { vaultAdmin } from '../../scripts/vault/admin.ts'
import { setUpDatabase } from '../../scripts/vault/database.ts'
import { asAdmin } from './effect.ts'
import { OPERATOR } from './platform.ts'
import { type Servers, startServers } from './servers.ts'

export interface DistributedRun {
  url: string
  servers: Servers
  processes(): ProcessRecord[]
  /** is this process about to commit something: stopped now, it writes when it wakes */
  isCommitting(pid: number): boolean
  /** of one replica, all that it wrote */
  log(instance: string): string
  close(): Promise<void>
}
const OWNER = 'assay_owner'
/** A hundred ports for each replica, below those that the system hands out. */
const FIRST_PORT = 20_000
const START_MS = 400_000
const STOP_MS = 60_000
const CLI = new URL('../../scripts/cli.ts', import.meta.url).pathname
/** Of an issued login, and its longest life: it is renewed once or twice, then another takes its place. */
/** Long enough that a process can be stopped before its write. */
const COMMIT_MS = 20
const LOGIN = { ttl: '20s', maxTtl: '40s' }

export async function startDistributed(folder: string, replicas: string): Promise<DistributedRun> {
  const servers = await startServers(join(folder, 'servers'))
  const password = crypto.randomUUID()
  const { database, vault } = servers.direct
  await asAdmin(database, (ask) => ask(`create role ${OWNER} login createrole password '${password}'`))
  const admin = vaultAdmin({ VAULT_ADDR: vault.address, VAULT_TOKEN: vault.rootToken })
  await setUpDatabase(admin, { url: database, owner: OWNER, ...LOGIN }, () => {})
  const url = new URL(servers.env.DATABASE_URL!)
  url.username = OWNER
  url.password = password
  const home = join(folder, 'home')
  const child = Bun.spawn(
    [
      process.execPath,
      CLI,
      'up',
      '--distributed',
      `--port=${FIRST_PORT + Math.floor(Math.random() * 110) * 100}`,
      `--replicas=${replicas}`,
    ],
    {
      env: {
        PATH: environment().PATH,
        HOME: environment().HOME,
        ...servers.env,
        DATABASE_URL: url.href,
        VAULT_DATABASE_ROLE: 'postgres-role',
        ASSAY_HOME: home,
        FEEDS: 'sim',
        ASSAY_FAILPOINTS: `${join(folder, 'commits-%p')}:${COMMIT_MS}:before-commit`,
        ASSAY_OPERATOR_EMAIL: OPERATOR.email,
        ASSAY_OPERATOR_PASSWORD: OPERATOR.password,
        RATE_LIMIT_PER_MINUTE: '1000000',
      },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    },
  )
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    void (async () => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) said += text
    })()
  const isUp = () => /Assay is up +(http:\S+)/.exec(said)?.[1]
  for (const end = performance.now() + START_MS; !isUp(); await Bun.sleep(20)) {
    if (child.exitCode === null && performance.now() < end) continue
    child.kill('SIGKILL')
    await servers.close()
    throw new Error(`it did not come up (exit ${child.exitCode}):\n${said}`)
  }
  return {
    url: isUp()!,
    servers,
    processes: () => JSON.parse(readFileSync(join(home, 'processes.json'), 'utf8')) as ProcessRecord[],
    isCommitting(pid) {
      const noted = readFileSync(join(folder, `commits-${pid}`), 'utf8')
      // each begins with +before-commit and ends with -before-commit
      return noted.split('+').length > noted.split('-before').length
    },
    log: (instance) => readFileSync(join(home, 'logs', `${instance}.log`), 'utf8'),
    async close() {
      child.kill('SIGTERM')
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await child.exited
      clearTimeout(killer)
      await servers.close()
    },
  }
}
