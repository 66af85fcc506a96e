import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'

const CLI = new URL('../../scripts/cli.ts', import.meta.url).pathname
export const OPERATOR = { email: 'operator@assay.example', password: 'the e2e operator 1' }
const START_MS = 20_000

export interface Ended {
  code: number
  output: string
}
/** A platform as a person starts it: a process of its own, known by what it prints. */
export interface Process {
  pid: number
  url: string
  output(): string
  /** SIGTERM unless told otherwise */
  stop(signal?: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<Ended>
}
export interface StartOptions {
  env?: Record<string, string>
  argv?: string[]
  /** until it says that it is up, 20 s unless told */
  startMs?: number
}

/** A data folder that goes with the test. */
export function scratchHome() {
  const home = mkdtempSync(join(tmpdir(), 'assay-e2e-'))
  return { home, remove: () => rmSync(home, { recursive: true, force: true }) }
}

const environmentOf = (home: string, env: Record<string, string> = {}) => ({
  PATH: environment().PATH,
  HOME: environment().HOME,
  ASSAY_HOME: home,
  ASSAY_OPERATOR_EMAIL: OPERATOR.email,
  ASSAY_OPERATOR_PASSWORD: OPERATOR.password,
  ...env,
})

/** Resolves once it says that it is up; rejects with all that it printed when it does not. */
export async function startProcess(
  home: string,
  { env, argv = [], startMs = START_MS }: StartOptions = {},
): Promise<Process> {
  const child = Bun.spawn([process.execPath, CLI, 'up', '--port=0', ...argv], {
    env: environmentOf(home, env),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  let output = ''
  const reading = [child.stdout, child.stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) output += text
  })
  const deadline = performance.now() + startMs
  let url: string | undefined
  while (!url) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL')
      await Promise.all(reading)
      throw new Error(`it did not come up (exit ${child.exitCode}):\n${output}`)
    }
    await Bun.sleep(5)
    url = /Assay is up +(http:\S+)/.exec(output)?.[1]
  }
  return {
    pid: child.pid,
    url,
    output: () => output,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      const code = await child.exited
      await Promise.all(reading)
      return { code, output }
    },
  }
}

/** Any other command, to its end. */
export async function runCommand(home: string, argv: string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = Bun.spawn([process.execPath, CLI, ...argv], {
    cwd: home,
    env: environmentOf(home, env),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, output: out + err }
}

/** Any other command, ended by SIGKILL once it has printed this; what it had printed. */
export async function killCommandAt(
  home: string,
  argv: string[],
  { at, env = {} }: { at: string; env?: Record<string, string> },
): Promise<string> {
  const child = Bun.spawn([process.execPath, CLI, ...argv], {
    cwd: home,
    env: environmentOf(home, env),
    stdout: 'pipe',
    stderr: 'inherit',
  })
  let output = ''
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += text
    if (output.includes(at)) child.kill('SIGKILL')
  }
  await child.exited
  return output
}
