import { closeSync, existsSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DiskState } from './port.ts'

export const RESERVE_BYTES = 64 * 1024 * 1024
const BLOCK = new Uint8Array(1024 * 1024)

/** What a full disk is answered with: a file that is given up so that the last decisions still fit. */
export interface Reserve {
  state(): DiskState
  /** frees the file; false when it is gone already */
  giveUp(): boolean
  /** not even the reserve held another record */
  exhausted(): void
  /** takes the file again where twice its size is free; while less is free the state stays, but `full` becomes `reserve` when a quarter is */
  recover(): Promise<DiskState>
}

export function createReserve(path: string, bytes = RESERVE_BYTES): Reserve {
  let state: DiskState = take() ? 'ok' : 'reserve'

  function take(): boolean {
    if (existsSync(path) && statSync(path).size === bytes) return true
    try {
      const file = openSync(path, 'w')
      try {
        // real blocks: a sparse file reserves nothing
        for (let left = bytes; left > 0; ) left -= writeSync(file, BLOCK, 0, Math.min(left, BLOCK.length))
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      return true
    } catch (error) {
      rmSync(path, { force: true })
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
      throw error
    }
  }

  return {
    state: () => state,
    giveUp() {
      if (state !== 'ok') return false
      rmSync(path, { force: true })
      state = 'reserve'
      return true
    },
    exhausted() {
      state = 'full'
    },
    async recover() {
      if (state === 'ok') return state
      const { bavail, bsize } = await statfs(dirname(path))
      const free = bavail * bsize
      if (free >= 2 * bytes && take()) state = 'ok'
      else if (state === 'full' && free >= bytes / 4) state = 'reserve'
      return state
    },
  }
}
