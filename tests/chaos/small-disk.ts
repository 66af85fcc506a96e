import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export interface SmallDisk {
  path: string
  unmount(): void
}
/** A file system of so many MiB in memory; null where nobody may mount one. */
export function mountSmallDisk(path: string, mebibytes: number): SmallDisk | null {
  mkdirSync(path, { recursive: true })
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path])
  if (mount.status !== 0) return null
  return { path, unmount: () => void spawnSync('umount', [path]) }
}

const CHUNKS = [1024 * 1024, 4096]
let files = 0
/** Takes every free byte; returns what gives them back. */
export function fillDisk(path: string): () => void {
  const file = join(path, `ballast-${++files}`)
  const fd = openSync(file, 'w')
  for (const size of CHUNKS) {
    const chunk = new Uint8Array(size)
    try {
      for (;;) writeSync(fd, chunk)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
  closeSync(fd)
  return () => rmSync(file)
}
