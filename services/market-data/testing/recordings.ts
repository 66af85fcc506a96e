import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { environment } from '@assay/core/kernel/config'

/** The shared recordings, or null where they are absent: the test then says that it skips. */
export function sharedRecordings(): string | null {
  const shared = environment().ASSAY_SHARED ?? resolve(import.meta.dir, '../../../../shared')
  const folder = join(shared, 'data/recordings')
  if (existsSync(folder)) return folder
  console.warn(`skipped: no recordings in ${folder}`)
  return null
}

/** A folder for made-up recordings. */
export function scratchRecordings() {
  const folder = mkdtempSync(join(tmpdir(), 'recording-'))
  return {
    write(name: string, text: string): string {
      const path = join(folder, name)
      writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text)
      return path
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}
