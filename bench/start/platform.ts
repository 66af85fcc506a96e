import { createServer } from 'node:net'
import { environment } from '@assay/core/kernel/config'
import { ROOT } from '../../scripts/root.ts'

export const OPERATOR = { email: 'operator@assay.example', password: 'the bench operator 1' }
const DEADLINE_MS = 60_000

/** The platform as `./assay up` starts it, on the simulated market. */
export interface Platform {
  url: string
  /** from the command to the first 200 of /ready */
  readyMs: number
  /** resident memory, MB */
  rss(): number
  /** ends it and resolves with its exit code */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number>
}

export async function startPlatform(home: string, port: number): Promise<Platform> {
  const url = `http://127.0.0.1:${port}`
  const began = performance.now()
  // the script becomes Bun: its pid is the platform's
  const child = Bun.spawn([`${ROOT}assay`, 'up', `--port=${port}`], {
    env: {
      ...environment(),
      ASSAY_HOME: home,
      FEEDS: 'sim',
      LOG_LEVEL: 'warn',
      ASSAY_OPERATOR_EMAIL: OPERATOR.email,
      ASSAY_OPERATOR_PASSWORD: OPERATOR.password,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  while (!(await isReady(url))) {
    if (child.exitCode !== null || performance.now() - began > DEADLINE_MS) {
      child.kill('SIGKILL')
      throw new Error(`the platform did not get ready (exit ${child.exitCode})`)
    }
    await Bun.sleep(2)
  }
  return {
    url,
    readyMs: performance.now() - began,
    rss: () => Number(Bun.spawnSync(['ps', '-o', 'rss=', '-p', String(child.pid)]).stdout.toString()) / 1024,
    end(signal) {
      child.kill(signal)
      return child.exited
    },
  }
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/ready`).catch(() => undefined)
  return answer?.status === 200
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
