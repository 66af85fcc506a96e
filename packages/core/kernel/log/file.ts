import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const DAY_MS = 86_400_000
const FLUSH_MS = 200
const BUFFER_CHARS = 64 * 1024

export interface LogFile {
  write(line: string): void
  close(): void
}
export interface LogFileOptions {
  keepDays?: number
  now?: () => number
}

/** Appends in small batches; a UTC day that ended becomes `name.YYYY-MM-DD`, kept 30 days. A full disk loses lines, never the process. */
export function openLogFile(
  folder: string,
  name: string,
  { keepDays = 30, now = Date.now }: LogFileOptions = {},
): LogFile {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  let fd = openSync(path, 'a', 0o600)
  const { size, mtimeMs } = fstatSync(fd)
  let day = dayOf(size > 0 ? mtimeMs : now())
  let waiting = ''
  rotate()
  const timer = setInterval(flush, FLUSH_MS)
  timer.unref()

  function rotate(): void {
    const today = dayOf(now())
    if (today === day) return
    closeSync(fd)
    renameSync(path, `${path}.${day}`)
    fd = openSync(path, 'a', 0o600)
    day = today
    const oldest = `${name}.${dayOf(now() - keepDays * DAY_MS)}`
    for (const file of readdirSync(folder)) {
      if (file.startsWith(`${name}.`) && file < oldest) unlinkSync(join(folder, file))
    }
  }
  function flush(): void {
    if (!waiting) return
    const lines = waiting
    waiting = ''
    try {
      rotate()
      writeSync(fd, lines)
    } catch {
      // nowhere is left to say so
    }
  }

  return {
    write(line) {
      waiting += line
      if (waiting.length >= BUFFER_CHARS) flush()
    },
    close() {
      clearInterval(timer)
      flush()
      closeSync(fd)
    },
  }
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
