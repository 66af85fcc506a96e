import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { takenByAnother } from './listeners.ts'
import { descendants, isStopped, send } from './processes.ts'
import { record } from './records.ts'
import { type Server, type ServerSignal, ServerStartError, type StartOptions } from './server.ts'

const READY_MS = 120_000
const STOP_MS = 20_000
const FREEZE_MS = 5_000
const POLL_MS = 50

export interface Launch extends Omit<Server, 'pid' | 'signal' | 'stop' | 'restart'> {
  command: string[]
  /** of the child, over this process's */
  environment?: Record<string, string>
  /** answers as its clients need it */
  isReady(): Promise<boolean>
  /** after each start, before it counts as ready: unsealing */
  afterStart?(): Promise<void>
  /** absent: SIGTERM */
  stopSignal?: NodeJS.Signals
}

/** Starts a server as a child, waits until it answers, and gives the handle. */
export async function launch(spec: Launch, { detached = false, readyMs = READY_MS }: StartOptions): Promise<Server> {
  const { command, environment: extra, isReady, afterStart, stopSignal = 'SIGTERM', ...about } = spec
  let child: Bun.Subprocess | undefined

  const start = async () => {
    mkdirSync(spec.folder, { recursive: true, mode: 0o700 })
    const log = openSync(join(spec.folder, 'server.log'), 'a', 0o600)
    try {
      child = Bun.spawn(command, {
        cwd: '/',
        env: { ...environment(), ...extra },
        stdin: 'ignore',
        stdout: log,
        stderr: log,
        detached,
      })
    } finally {
      closeSync(log)
    }
    record(spec, { pid: child.pid, stopSignal })
    if (detached) child.unref()
    else endWithUs(child)
    try {
      await untilReady(child, spec, readyMs)
      await afterStart?.()
    } catch (error) {
      send(child.pid, 'SIGKILL')
      await child.exited
      throw startError(error as Error, child.pid, spec)
    }
  }
  await start()

  return {
    ...about,
    get pid() {
      return child!.pid
    },
    signal: (signal) => signalChild(child!, signal),
    stop: () => stopChild(child!, stopSignal),
    async restart() {
      await stopChild(child!, stopSignal)
      await start()
    },
  }
}

function startError(cause: Error, pid: number, { ports }: Launch): ServerStartError {
  const taken = takenByAnother(pid, Object.values(ports))
  const why = taken ? `\n  port ${taken.port} is taken by ${taken.by}` : ''
  return new ServerStartError(cause.message + why, taken?.port, { cause })
}

function endWithUs(child: Bun.Subprocess): void {
  const kill = () => {
    send(child.pid, 'SIGKILL')
  }
  process.on('exit', kill)
  child.exited.then(() => process.off('exit', kill))
}

async function untilReady(child: Bun.Subprocess, spec: Launch, readyMs: number): Promise<void> {
  const end = performance.now() + readyMs
  const about = () => `${spec.name} ${spec.version} at ${spec.address}`
  while (performance.now() < end) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(
        `${about()} ended at its start (${child.signalCode ?? child.exitCode})\n${lastLines(spec.folder)}`,
      )
    if (await spec.isReady()) {
      // the answer may be another's, to whom this one is about to lose the port
      if (!takenByAnother(child.pid, Object.values(spec.ports))) return
      throw new Error(`${about()}: another process answers there`)
    }
    await Bun.sleep(POLL_MS)
  }
  throw new Error(`${about()} did not answer within ${readyMs / 1000} s\n${lastLines(spec.folder)}`)
}

export function lastLines(folder: string, count = 15): string {
  const path = join(folder, 'server.log')
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count)
  return [`  ${path} ends:`, ...lines.map((line) => `    ${line}`)].join('\n')
}

async function signalChild(child: Bun.Subprocess, signal: ServerSignal): Promise<void> {
  // parent first: a stopped one makes no new children
  if (signal === 'SIGSTOP' || signal === 'SIGCONT') {
    const all = [child.pid, ...descendants(child.pid)]
    for (const pid of all) send(pid, signal)
    if (signal === 'SIGSTOP') await untilStopped(all)
  } else send(child.pid, signal)
  if (signal === 'SIGKILL') await child.exited
}

/** A thread that runs may still answer for a moment. */
async function untilStopped(pids: readonly number[]): Promise<void> {
  const end = performance.now() + FREEZE_MS
  while (!pids.every(isStopped)) {
    if (performance.now() > end) throw new Error(`processes ${pids.join(', ')} are not stopped within ${FREEZE_MS} ms`)
    await Bun.sleep(1)
  }
}

async function stopChild(child: Bun.Subprocess, stopSignal: NodeJS.Signals): Promise<void> {
  await stopProcess({ pid: child.pid, stopSignal, ended: () => child.exitCode !== null || child.signalCode !== null })
  await child.exited
}

/** Ends a process by its id: asks, then kills what has not ended; a stopped one is woken to hear it. */
export async function stopProcess(of: {
  pid: number
  stopSignal: NodeJS.Signals
  ended(): boolean
  deadlineMs?: number
}): Promise<void> {
  if (of.ended()) return
  const all = [of.pid, ...descendants(of.pid)]
  send(of.pid, of.stopSignal)
  for (const pid of all) send(pid, 'SIGCONT')
  const end = performance.now() + (of.deadlineMs ?? STOP_MS)
  while (!of.ended() && performance.now() < end) await Bun.sleep(POLL_MS)
  if (!of.ended()) send(of.pid, 'SIGKILL')
}
