import { accessSync, constants, existsSync, mkdirSync, statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { arch, availableParallelism, freemem, platform, totalmem } from 'node:os'
import { ALIASES, REPLACED, VARIABLES } from '@assay/core/contracts/variables'
import { type Config, ConfigError, environment, readConfig } from '@assay/core/kernel/config'
import { VERSION } from '@assay/core/kernel/version'
import { FolderLockedError, lockFolder } from '@assay/core/ports/db/lock'
import { PgliteThread } from '@assay/core/ports/db/pglite-thread'
import { services } from '@assay/services/all'
import { findInstance } from '../instance.ts'

export const summary = 'looks at machine, configuration, ports and stores and says what to do; exit 1 on problems'

interface Finding {
  about: string
  says: string
  /** what to do about it; present: a problem */
  todo?: string
}
const GIB = 2 ** 30
const PINNED_BUN = '1.4.5'
const DATA_FREE_GIB = 1

export async function run(): Promise<number> {
  const config = configuration()
  const findings = [...machine(), ...config.findings, ...variables()]
  if (config.config) findings.push(...(await dataFolder(config.config)))
  for (const { about, says, todo } of findings) {
    console.log(`${todo ? 'PROBLEM' : 'ok     '}  ${about.padEnd(26)} ${says}`)
    if (todo) console.log(`         ${' '.repeat(26)} -> ${todo}`)
  }
  const problems = findings.filter(({ todo }) => todo).length
  console.log(problems === 0 ? '\nnothing to do' : `\n${problems} to do`)
  return problems === 0 ? 0 : 1
}

function machine(): Finding[] {
  const freeGib = freemem() / GIB
  return [
    { about: 'assay', says: VERSION },
    Bun.version === PINNED_BUN
      ? { about: 'bun', says: Bun.version }
      : {
          about: 'bun',
          says: `${Bun.version}, not ${PINNED_BUN}`,
          todo: 'start through ./assay, which brings the pinned one',
        },
    { about: 'machine', says: `${platform()} ${arch()}, ${availableParallelism()} processors` },
    {
      about: 'memory',
      says: `${freeGib.toFixed(1)} of ${(totalmem() / GIB).toFixed(1)} GiB free`,
      ...(freeGib < 1 && { todo: 'the platform needs about 0.6 GiB, 0.9 under load: free some memory' }),
    },
  ]
}

function configuration(): { config?: Config; findings: Finding[] } {
  try {
    const config = readConfig(
      environment(),
      services.map((service) => service.config),
    )
    return { config, findings: [{ about: 'configuration', says: `${config.platform.NODE_ENV}; it starts` }] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return {
      findings: error.problems.map(({ variable, reason }) => ({
        about: variable,
        says: reason,
        todo: `change or unset ${variable}`,
      })),
    }
  }
}

/** Every variable that is set: used, alias or replaced. Values of secrets are not shown. */
function variables(): Finding[] {
  const env = environment()
  const isSet = (name: string) => Boolean(env[name])
  return [
    ...VARIABLES.filter(({ name, later }) => isSet(name) && !later).map(({ name, secret }) => ({
      about: name,
      says: `used: ${secret ? '(secret)' : env[name]}`,
    })),
    ...Object.entries(ALIASES)
      .filter(([alias]) => isSet(alias))
      .map(([alias, name]) => ({
        about: alias,
        says: `alias of ${name}${isSet(name) ? ', which is set too and wins' : ''}`,
      })),
    ...Object.entries(REPLACED)
      .filter(([name]) => isSet(name))
      .map(([name, by]) => ({ about: name, says: `replaced by ${by}; not used` })),
  ]
}

async function dataFolder({ platform: settings }: Config): Promise<Finding[]> {
  const { ASSAY_HOME: home, ASSAY_HOST: host } = settings
  const instance = findInstance(home)
  if (instance) return [{ about: 'data folder', says: home }, ...(await running(instance.url))]
  const port = settings.PORT ?? settings.API_GATEWAY_PORT ?? 8000
  return [
    writable(home),
    freeSpace(home),
    (await isFree(port, host))
      ? { about: 'port', says: `${host}:${port} is free` }
      : { about: 'port', says: `${host}:${port} is taken`, todo: 'start with --port=N, or set PORT' },
    await database(home),
  ]
}

/** A running platform tells about its stores itself: its data folder is locked. */
async function running(url: string): Promise<Finding[]> {
  const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined)
  if (!answer) return [{ about: 'platform', says: `${url} does not answer`, todo: './assay stop, then ./assay up' }]
  const { status, degraded, stores } = (await answer.json()) as { status: string; degraded: string[]; stores: object }
  return [
    {
      about: 'platform',
      says: `${url} is ${status}`,
      ...(status === 'down' && { todo: './assay logs --errors says why' }),
    },
    ...degraded.map((says) => ({ about: 'degraded', says, todo: 'see docs/degradation.md' })),
    ...Object.entries(stores).map(([name, says]) => ({ about: `store ${name}`, says: JSON.stringify(says) })),
  ]
}

function writable(home: string): Finding {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 })
    accessSync(home, constants.W_OK)
    return { about: 'data folder', says: home }
  } catch {
    return { about: 'data folder', says: `${home} cannot be written`, todo: 'set ASSAY_HOME to a folder of yours' }
  }
}

function freeSpace(home: string): Finding {
  const { bavail, bsize } = statfsSync(existsSync(home) ? home : '.')
  const gib = (bavail * bsize) / GIB
  return {
    about: 'disk',
    says: `${gib.toFixed(1)} GiB free`,
    ...(gib < DATA_FREE_GIB && { todo: 'free some space: a full disk stops the market' }),
  }
}

const isFree = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })

async function database(home: string): Promise<Finding> {
  const folder = `${home}/pg`
  if (!existsSync(folder)) return { about: 'store db', says: 'none yet: the first start makes it' }
  try {
    // two processes on one folder would lose rows
    const unlock = lockFolder(home)
    try {
      const thread = await PgliteThread.open(folder, () => {})
      await thread.close()
    } finally {
      unlock()
    }
    return { about: 'store db', says: 'PGlite opens' }
  } catch (error) {
    if (error instanceof FolderLockedError)
      return { about: 'store db', says: error.message, todo: 'ask again when it has stopped' }
    return {
      about: 'store db',
      says: String(error),
      todo: `restore ${folder} from a copy, or start anew with ./assay clean --yes`,
    }
  }
}
