import { environment } from '@assay/core/kernel/config'
import { ROOT } from './root.ts'

export interface Captured {
  code: number
  output: string
}
export interface CaptureOptions {
  /** the repository's folder unless told */
  cwd?: string
  env?: Record<string, string | undefined>
  /** then the whole process group is killed and the code is 124 */
  timeoutMs?: number
}

/** Runs a program of the repository and keeps what it prints. */
export async function capture(
  command: string[],
  { cwd = ROOT, env = {}, timeoutMs }: CaptureOptions = {},
): Promise<Captured> {
  const child = Bun.spawn(command, {
    cwd,
    env: { ...environment(), FORCE_COLOR: '0', ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    detached: true,
  })
  const killGroup = () => {
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // it has ended
    }
  }
  let late = false
  const timer =
    timeoutMs &&
    setTimeout(() => {
      late = true
      killGroup()
    }, timeoutMs)
  process.on('exit', killGroup)
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  clearTimeout(timer || undefined)
  process.off('exit', killGroup)
  return { code: late ? 124 : code, output: out + err }
}

/** A program of an installed package, run by this Bun. */
export const tool = (path: string, ...args: string[]): string[] => [
  process.execPath,
  `${ROOT}node_modules/${path}`,
  ...args,
]
