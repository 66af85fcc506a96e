import { Database } from 'bun:sqlite'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export class FolderLockedError extends Error {
  constructor(folder: string, holder: string) {
    super(`${folder} is in use by another Assay (process ${holder}). Stop it first, or choose another ASSAY_HOME.`)
    this.name = 'FolderLockedError'
  }
}

/** Referenced until released: a lock that is collected as garbage is an open folder. */
const held = new Set<Database>()

/**
 * Holds a folder for this process; returns the release. SQLite's exclusive lock is the system's own file lock: it
 * ends with the process however that dies, so there is nothing stale to take over and no race about it.
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const holder = join(folder, 'lock.pid')
  const lock = new Database(join(folder, 'lock'))
  try {
    lock.run('pragma journal_mode = memory')
    lock.run('begin exclusive')
  } catch (cause) {
    lock.close()
    if ((cause as { code?: string }).code !== 'SQLITE_BUSY') throw cause
    throw new FolderLockedError(folder, readPid(holder))
  }
  writeFileSync(holder, `${process.pid}\n`)
  held.add(lock)
  return () => {
    held.delete(lock)
    lock.close()
  }
}

function readPid(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return 'unknown'
  }
}
