import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'

const ROOT = new URL('../../', import.meta.url).pathname
export const OPERATOR = { email: 'operator@assay.example', password: 'chaos-operator-1' }
const POLL_MS = 10

export interface PlatformOptions {
  home: string
  port: number
  /** standard output and error are appended here */
  log: string
  env?: Record<string, string>
}
/** A running platform in a process group of its own, as a person would start it. */
export interface Platform {
  pid: number
  url: string
  /** resolves with the exit code, or the signal that ended it */
  ended: Promise<number | string>
  hasEnded(): boolean
  /** false when it ended or the deadline passed before */
  ready(deadlineMs: number): Promise<boolean>
  signal(name: 'SIGKILL' | 'SIGTERM'): Promise<number | string>
}

export function startPlatform({ home, port, log, env = {} }: PlatformOptions): Platform {
  const out = openSync(log, 'a')
  const child = spawn(process.execPath, [join(ROOT, 'scripts/cli.ts'), 'up', `--port=${port}`], {
    detached: true,
    stdio: ['ignore', out, out],
    env: {
      PATH: environment().PATH,
      HOME: environment().HOME,
      ASSAY_HOME: home,
      FEEDS: 'sim',
      LOG_FORMAT: 'json',
      LOG_LEVEL: 'warn',
      ASSAY_OPERATOR_EMAIL: OPERATOR.email,
      ASSAY_OPERATOR_PASSWORD: OPERATOR.password,
      RATE_LIMIT_PER_MINUTE: '1000000',
      ...env,
    },
  })
  closeSync(out)
  const url = `http://127.0.0.1:${port}`
  const { promise: ended, resolve } = Promise.withResolvers<number | string>()
  child.once('exit', (code, signal) => resolve(signal ?? code ?? 0))
  let over = false
  void ended.then(() => {
    over = true
  })
  return {
    pid: child.pid!,
    url,
    ended,
    hasEnded: () => over,
    async ready(deadlineMs) {
      const end = performance.now() + deadlineMs
      while (!over && performance.now() < end) {
        const answer = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined)
        if (answer?.ok) return true
        await Bun.sleep(POLL_MS)
      }
      return false
    },
    signal(name) {
      if (!over) process.kill(-child.pid!, name)
      return ended
    },
  }
}

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
