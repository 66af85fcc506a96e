import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capture } from '../capture.ts'
import { isAlive } from '../instance.ts'
import { ROOT } from '../root.ts'
import type { Progress } from './server.ts'

/** Installed servers of this checkout; kept between runs, safe to delete. */
export const SERVERS_FOLDER = join(ROOT, '.servers')
const STEP_MS = 20 * 60_000
const LOCK_MS = 25 * 60_000

/** Makes `.servers/<name>` once: built beside it, then renamed; two processes at once wait for each other. */
export async function installOnce(
  { name, progress }: { name: string; progress: Progress },
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(SERVERS_FOLDER, name)
  if (existsSync(folder)) return folder
  const unlock = await lock(`${folder}.lock`, () => progress(`waiting for another assay that installs ${name}`))
  const making = `${folder}.making`
  try {
    if (existsSync(folder)) return folder
    rmSync(making, { recursive: true, force: true })
    mkdirSync(making, { recursive: true })
    await build(making)
    renameSync(making, folder)
    return folder
  } finally {
    rmSync(making, { recursive: true, force: true })
    unlock()
  }
}

async function lock(path: string, onWait: () => void): Promise<() => void> {
  mkdirSync(SERVERS_FOLDER, { recursive: true })
  const end = performance.now() + LOCK_MS
  for (let told = false; performance.now() < end; ) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (isAbandoned(path)) rmSync(path, { force: true })
      else if (!told) {
        told = true
        onWait()
      }
      await Bun.sleep(200)
    }
  }
  throw new Error(`still locked after ${LOCK_MS / 60_000} minutes: remove ${path}`)
}

function isAbandoned(path: string): boolean {
  try {
    const owner = Number(readFileSync(path, 'utf8'))
    return owner > 0 && !isAlive(owner)
  } catch {
    return false
  }
}

/** A step of an installation; its output is the error when it fails. */
export async function step(
  command: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { code, output } = await capture(command, { ...options, timeoutMs: STEP_MS })
  if (code === 0) return output
  const said = output.trim().split('\n').slice(-8).join('\n    ')
  throw new Error(
    `${command.slice(0, 4).join(' ')} ended with ${code}${code === 124 ? ' (too late)' : ''}\n    ${said}`,
  )
}

export const onPath = (program: string): string | undefined => Bun.which(program) ?? undefined
