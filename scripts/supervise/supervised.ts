import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../root.ts'
import type { Planned } from './plan.ts'

export interface SupervisedOptions {
  planned: Planned
  /** of the TLS files of this process */
  credentials: () => Promise<Record<string, string>>
  /** folder of what it writes outside its log: a crash */
  logs: string
  say: (line: string) => void
  /** a process has started or ended */
  changed: () => void
}
/** What `run` tells the process that started it. */
interface Ready {
  ready: string
  notices: string[]
}
export interface Supervised {
  readonly planned: Planned
  readonly pid: number | undefined
  /** its address, while it is ready */
  readonly url: string | undefined
  readonly restarts: number
  /** resolves with its notices when it is ready; rejects with its last words when it cannot start */
  start(): Promise<string[]>
  /** SIGTERM; SIGKILL to one that does not end */
  stop(): Promise<void>
}
const READY_MS = 120_000
const STOP_MS = 30_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** A process that ran so long starts again without the pauses of earlier deaths. */
const WELL_AFTER_MS = 60_000
const LAST_WORDS = 2_000

type Child = ReturnType<typeof Bun.spawn>

/** One process that is started again when it dies, at growing intervals. */
export function supervise({ planned, credentials, logs, say, changed }: SupervisedOptions): Supervised {
  const { instance, service } = planned
  const outFile = join(logs, `${instance}.out`)
  let child: Child | undefined
  let url: string | undefined
  let wanted = false
  let restarts = 0
  let deaths = 0
  let waking: (() => void) | undefined

  async function launch(): Promise<string[]> {
    const told = Promise.withResolvers<Ready>()
    mkdirSync(logs, { recursive: true })
    const before = sizeOf(outFile)
    const out = openSync(outFile, 'a', 0o600)
    const started = performance.now()
    const process_ = Bun.spawn([process.execPath, `${ROOT}services/${service}/main.ts`], {
      env: { ...planned.env, ...(await credentials()) },
      // Ctrl-C is for this process: it ends the others in order
      detached: true,
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: out,
      ipc: (message: Ready) => told.resolve(message),
      onExit: (_, code, signal) => {
        const words = lastWords(outFile, before)
        told.reject(new Error(`${instance} ended with ${signal ?? code} before it was ready${words && `\n${words}`}`))
        ended(process_, signal ?? `exit ${code}`, performance.now() - started)
      },
    })
    closeSync(out)
    child = process_
    changed()
    const timer = setTimeout(() => {
      told.reject(new Error(`${instance} was not ready within ${READY_MS / 1_000} s: see ${instance}.log`))
    }, READY_MS)
    try {
      const { ready, notices } = await told.promise
      url = ready
      const seconds = ((performance.now() - started) / 1_000).toFixed(1)
      say(`${instance.padEnd(14)} ready in ${seconds} s   ${ready}   process ${process_.pid}`)
      changed()
      return notices
    } finally {
      clearTimeout(timer)
    }
  }

  /** What was ready and ended without being asked to starts again. */
  function ended(process_: Child, how: string | number, ranMs: number): void {
    if (child !== process_) return
    const wasReady = url !== undefined || restarts > 0
    child = undefined
    url = undefined
    changed()
    if (!wanted || !wasReady) return
    deaths = ranMs > WELL_AFTER_MS ? 0 : deaths
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** deaths++)
    say(`${instance.padEnd(14)} process ${process_.pid} ended (${how}); it starts again in ${pause / 1_000} s`)
    void again(pause)
  }

  async function again(pause: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pause)
      waking = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    if (!wanted || child) return
    restarts++
    await launch().catch((error: Error) => say(error.message))
  }

  async function end(): Promise<void> {
    const process_ = child
    if (!process_) return
    process_.kill('SIGTERM')
    const killer = setTimeout(() => {
      say(`${instance.padEnd(14)} has not ended within ${STOP_MS / 1_000} s: killed`)
      process_.kill('SIGKILL')
    }, STOP_MS)
    await process_.exited
    clearTimeout(killer)
  }

  return {
    planned,
    get pid() {
      return child?.pid
    },
    get url() {
      return url
    },
    get restarts() {
      return restarts
    },
    start() {
      wanted = true
      return launch()
    },
    async stop() {
      wanted = false
      waking?.()
      await end()
    },
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0
const lastWords = (file: string, from: number): string =>
  readFileSync(file).subarray(from).toString().trim().slice(-LAST_WORDS)
