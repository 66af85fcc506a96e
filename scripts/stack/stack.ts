import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stopProcess } from './launch.ts'
import { freePorts, isFree } from './ports.ts'
import { isRunning, type Recorded, readRecord } from './records.ts'
import { type Progress, SERVER_NAMES, type Server, type ServerName } from './server.ts'
import { SERVERS } from './servers/all.ts'
import { settle } from './settle.ts'

/** The stack of a data folder: a folder per server, and the variables that point Assay at them. */
export const stackFolder = (home: string): string => join(home, 'stack')
const serverFolder = (home: string, name: ServerName) => join(stackFolder(home), name)
export const envFile = (home: string): string => join(stackFolder(home), 'assay.env')

export interface StackStatus {
  name: ServerName
  recorded?: Recorded
  running: boolean
  healthy: boolean
}

/** Installs what is missing and starts what does not run or does not answer; the rest stays as it is. */
export async function raiseStack(home: string, progress: Progress): Promise<Readonly<Record<string, string>>> {
  mkdirSync(stackFolder(home), { recursive: true })
  const before = await stackStatus(home)
  const wanting = before.filter(({ healthy }) => !healthy)
  await settle(wanting.map(({ name }) => SERVERS[name].install(progress)))
  const started = await settle(wanting.map((status) => startOne(home, status, progress)))
  const env = { ...stackEnvironment(home), ...Object.assign({}, ...started.map((server) => server.env)) }
  writeEnvironment(home, env)
  return env
}

async function startOne(home: string, status: StackStatus, progress: Progress): Promise<Server> {
  const { name, recorded, running } = status
  const folder = serverFolder(home, name)
  if (recorded && running) {
    progress(`${name}: process ${recorded.pid} does not answer, starting it anew`)
    await stopRecorded(folder, recorded)
  }
  const port = await portOf(name, recorded)
  progress(`${name}: starting on port ${port}`)
  const server = await SERVERS[name].start({ folder, port, detached: true }, progress)
  progress(`${name}: ${server.version} at ${server.address}, process ${server.pid}`)
  return server
}

/** The one it had, else its usual one, else any. */
async function portOf(name: ServerName, recorded: Recorded | undefined): Promise<number> {
  const had = recorded && Object.values(recorded.ports)[0]
  for (const port of [had, SERVERS[name].port]) if (port && (await isFree(port))) return port
  return (await freePorts(1))[0]!
}

export function stackStatus(home: string): Promise<StackStatus[]> {
  const env = stackEnvironment(home)
  return Promise.all(
    SERVER_NAMES.map(async (name) => {
      const recorded = readRecord(serverFolder(home, name))
      const running = recorded !== undefined && isRunning(recorded)
      return { name, recorded, running, healthy: running && env !== undefined && (await SERVERS[name].answers(env)) }
    }),
  )
}

/** Ends what runs, by its id. */
export async function lowerStack(home: string, progress: Progress): Promise<void> {
  await Promise.all(
    SERVER_NAMES.map(async (name) => {
      const folder = serverFolder(home, name)
      const recorded = readRecord(folder)
      if (!recorded || !isRunning(recorded)) return
      await stopRecorded(folder, recorded)
      progress(`${name}: stopped process ${recorded.pid}`)
    }),
  )
}
async function stopRecorded(folder: string, recorded: Recorded): Promise<void> {
  const { pid, stopSignal } = recorded
  await stopProcess({ pid, stopSignal, ended: () => !isRunning(recorded) })
  if (!isRunning(recorded)) return
  throw new Error(`process ${pid} of ${recorded.name} has not ended; its folder is ${folder}`)
}

/** Data, logs and keys of all servers; they must not run. */
export function wipeStack(home: string): void {
  rmSync(stackFolder(home), { recursive: true, force: true })
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
