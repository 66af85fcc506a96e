import { closeSync, fdatasync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import type { Clock } from '../clock/port.ts'
import { DiskFullError } from './port.ts'
import type { Reserve } from './reserve.ts'

const SYNC_MS = 50

export interface WriterOptions {
  clock: Clock
  reserve: Reserve
  log?: { warn(fields: object, message: string): void }
  /** writes all of it or throws, as the disk would; a test gives one that runs out of space */
  write?: (file: number, text: string) => void
}

/** One growing file: whole writes or none, fdatasync off the caller's path at most every 50 ms. */
export class FileWriter {
  private readonly file: number
  /** bytes of whole writes */
  size: number
  private dirty = false
  private syncing: Promise<void> = Promise.resolve()
  private failed: unknown
  private readonly closing = new AbortController()

  /** size: what is there already */
  constructor(
    readonly path: string,
    size: number,
    private readonly options: WriterOptions,
  ) {
    this.file = openSync(path, 'a')
    this.size = size
  }

  /** All or nothing. A full disk costs the reserve first. Throws DiskFullError, or what made an earlier sync fail. */
  put(text: string): void {
    if (this.failed) throw new Error('the market log could not be synced to disk', { cause: this.failed })
    const { write = writeAll, reserve, log } = this.options
    for (;;) {
      try {
        write(this.file, text)
        break
      } catch (error) {
        ftruncateSync(this.file, this.size)
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        if (!reserve.giveUp()) {
          reserve.exhausted()
          throw new DiskFullError('no space left for the market log', { cause: error })
        }
        log?.warn({ path: this.path }, 'the disk is full: the reserve was given up')
      }
    }
    this.size += Buffer.byteLength(text)
    if (!this.dirty) this.sync()
  }
  private sync(): void {
    this.dirty = true
    this.syncing = this.options.clock
      .sleep(SYNC_MS, this.closing.signal)
      .catch(() => {})
      .then(() => {
        this.dirty = false
        return syncFile(this.file)
      })
      .catch((error) => {
        this.failed = error
      })
  }

  /** Syncs what is left and closes; nothing can be put any more. */
  async close(): Promise<void> {
    this.closing.abort()
    await this.syncing
    closeSync(this.file)
  }
  /** Takes a file back that holds nothing yet. */
  discard(): void {
    closeSync(this.file)
    rmSync(this.path, { force: true })
  }
}

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}
function syncFile(file: number): Promise<void> {
  return new Promise((resolve, reject) => fdatasync(file, (error) => (error ? reject(error) : resolve())))
}
