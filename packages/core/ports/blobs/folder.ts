import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { writeWholeFile } from '../files/write-whole.ts'
import { checkBlobName } from './name.ts'
import type { Blobs } from './port.ts'

/** Blobs as files. What is being written has a name that no blob can have: it begins with a dot. */
export function openBlobFolder(folder: string): Blobs {
  const pathOf = (name: string): string => {
    checkBlobName(name)
    return join(folder, name)
  }
  const orNull = (error: NodeJS.ErrnoException): null => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
    throw error
  }

  return {
    put: async (name, bytes) => writeWholeFile(pathOf(name), bytes),
    async get(name) {
      const bytes = await readFile(pathOf(name)).catch(orNull)
      return bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    },
    has: async (name) => (await stat(pathOf(name)).catch(orNull))?.isFile() ?? false,
    delete: (name) => rm(pathOf(name), { force: true }),
    async list(prefix, { after = '', limit = 1_000 } = {}) {
      const parent = prefix.slice(0, prefix.lastIndexOf('/') + 1)
      if (parent !== '') checkBlobName(parent.slice(0, -1))
      const entries = await readdir(join(folder, parent), { recursive: true, withFileTypes: true }).catch(orNull)
      return (entries ?? [])
        .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
        .filter((name) => name.startsWith(prefix) && name > after)
        .sort()
        .slice(0, limit)
    },
    async close() {},
  }
}
