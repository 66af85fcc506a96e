import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { composeDown, composeUp, containerOf, hasCompose, isComposed } from './compose.ts'
import { stopProcess } from './launch.ts'
import { listenerAt, takenByAnother } from './listeners.ts'
import { freePorts, isFree } from './ports.ts'
import { isRunning, type Recorded, readRecord } from './records.ts'
import { type Progress, SERVER_NAMES, type Server, type ServerName, ServerStartError } from './server.ts'
import { SERVERS } from './servers/all.ts'
import { settle } from './settle.ts'

/** The stack of a data folder: a folder per server, and the variables that point Assay at them. */
export const stackFolder = (home: string): string => join(home, 'stack')
const serverFolder = (home: string, name: ServerName) => join(stackFolder(home), name)
export const envFile = (home: string): string => join(stackFolder(home), 'assay.env')

export interface StackStatus {
  name: ServerName
  /** of the one that runs, or ran last */
  about?: Pick<Recorded, 'version' | 'pid' | 'address'>
  running: boolean
  healthy: boolean
}

/**
 * Starts what does not run or does not answer; the rest stays as it is. With Docker Compose where an engine works,
 * else, or when told, as processes of this machine, which installs what is missing.
 */
export async function raiseStack(
  home: string,
  progress: Progress,
  { native = false } = {},
): Promise<Readonly<Record<string, string>>> {
  mkdirSync(stackFolder(home), { recursive: true })
  const composed = native ? undefined : await raiseContainers(home, progress)
  const env = composed ?? (await raiseProcesses(home, progress))
  writeEnvironment(home, env)
  return env
}

/** Undefined: no engine, or it cannot bring them, which is said. */
async function raiseContainers(
  home: string,
  progress: Progress,
): Promise<Readonly<Record<string, string>> | undefined> {
  const folder = stackFolder(home)
  const native = SERVER_NAMES.some((name) => readRecord(serverFolder(home, name)))
  if (!isComposed(folder) && (native || !(await hasCompose()))) return undefined
  try {
    return await composeUp(folder, progress)
  } catch (error) {
    progress(`${(error as Error).message}\ndocker compose cannot start them: as processes of this machine instead`)
    await composeDown(folder, false).catch(() => {})
    return undefined
  }
}

async function raiseProcesses(home: string, progress: Progress): Promise<Readonly<Record<string, string>>> {
  const before = await stackStatus(home)
  const wanting = before.filter(({ healthy }) => !healthy)
  await settle(wanting.map(({ name }) => SERVERS[name].install(progress)))
  const started = await settle(wanting.map((status) => startOne(home, status, progress)))
  return { ...stackEnvironment(home), ...Object.assign({}, ...started.map((server) => server.env)) }
}

async function startOne(home: string, { name, running }: StackStatus, progress: Progress): Promise<Server> {
  const folder = serverFolder(home, name)
  const recorded = readRecord(folder)
  if (recorded && running) {
    progress(`${name}: process ${recorded.pid} does not answer, starting it anew`)
    await stopRecorded(folder, recorded)
  }
  const server = await startOnFreePort({ name, folder, recorded }, progress)
  progress(`${name}: ${server.version} at ${server.address}, process ${server.pid}`)
  return server
}

interface Starting {
  name: ServerName
  folder: string
  recorded: Recorded | undefined
}
/** On the port it had, else its usual one, else any: the next where another process has the port or is faster. */
async function startOnFreePort({ name, folder, recorded }: Starting, progress: Progress): Promise<Server> {
  const had = recorded && Object.values(recorded.ports)[0]
  const wanted = [...new Set([had, SERVERS[name].port])].filter((port) => port !== undefined)
  for (let tries = 1; ; tries++) {
    const port = await firstFree(name, wanted, progress)
    progress(`${name}: starting on port ${port}`)
    try {
      return await SERVERS[name].start({ folder, port, detached: true }, progress)
    } catch (error) {
      if (!(error instanceof ServerStartError) || error.takenPort !== port || tries === MOST_STARTS) throw error
      progress(error.message)
    }
  }
}
const MOST_STARTS = 3

/** Takes from the wanted ones what is not free. */
async function firstFree(name: ServerName, wanted: number[], progress: Progress): Promise<number> {
  for (let port = wanted.shift(); port !== undefined; port = wanted.shift()) {
    if (await isFree(port)) return port
    progress(`${name}: port ${port} is taken by ${listenerAt(port) ?? 'a connection'}, choosing another one`)
  }
  return (await freePorts(1))[0]!
}

export function stackStatus(home: string): Promise<StackStatus[]> {
  const env = stackEnvironment(home)
  const composed = isComposed(stackFolder(home))
  return Promise.all(
    SERVER_NAMES.map(async (name) => {
      const recorded = composed ? undefined : readRecord(serverFolder(home, name))
      const about = composed ? await containerOf(stackFolder(home), name) : recorded
      const running = composed ? about !== undefined : recorded !== undefined && isRunning(recorded)
      const ours = composed || (recorded !== undefined && listensAsSaid(recorded, env))
      const healthy = running && ours && env !== undefined && (await SERVERS[name].answers(env))
      return { name, about, running, healthy }
    }),
  )
}

/** The variables point at this server, and nobody else has its ports. */
const listensAsSaid = ({ pid, ports, address }: Recorded, env: Readonly<Record<string, string>> = {}): boolean =>
  Object.values(env).some((value) => value.includes(address)) && !takenByAnother(pid, Object.values(ports))

/** Ends what runs, by its id; with `wipe`, data, logs and keys of all servers go too. */
export async function lowerStack(home: string, progress: Progress, wipe: boolean): Promise<void> {
  if (isComposed(stackFolder(home))) {
    await composeDown(stackFolder(home), wipe)
    progress('docker compose: stopped')
  }
  await Promise.all(
    SERVER_NAMES.map(async (name) => {
      const folder = serverFolder(home, name)
      const recorded = readRecord(folder)
      if (!recorded || !isRunning(recorded)) return
      await stopRecorded(folder, recorded)
      progress(`${name}: stopped process ${recorded.pid}`)
    }),
  )
  if (wipe) rmSync(stackFolder(home), { recursive: true, force: true })
}
async function stopRecorded(folder: string, recorded: Recorded): Promise<void> {
  const { pid, stopSignal } = recorded
  await stopProcess({ pid, stopSignal, ended: () => !isRunning(recorded) })
  if (!isRunning(recorded)) return
  throw new Error(`process ${pid} of ${recorded.name} has not ended; its folder is ${folder}`)
}

/** The variables that point Assay at the stack; undefined: none was started on this data folder. */
export function stackEnvironment(home: string): Readonly<Record<string, string>> | undefined {
  const file = envFile(home)
  if (!existsSync(file)) return undefined
  const rows = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return Object.fromEntries(rows.map((row) => [row.slice(0, row.indexOf('=')), row.slice(row.indexOf('=') + 1)]))
}

function writeEnvironment(home: string, env: Readonly<Record<string, string>>): void {
  const file = envFile(home)
  writeFileSync(
    file,
    Object.entries(env)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
    { mode: 0o600 },
  )
  chmodSync(file, 0o600)
}
