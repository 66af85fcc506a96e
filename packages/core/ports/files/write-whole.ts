import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * Replaces a file that only its owner may read: old or new after a crash, never half, and on the disk when it resolves.
 * What is being written has a name that begins with a dot.
 */
export async function writeWholeFile(path: string, content: string | Uint8Array): Promise<void> {
  const folder = dirname(path)
  const unfinished = join(folder, `.${crypto.randomUUID()}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    const file = await open(unfinished, 'wx', 0o600)
    await file
      .writeFile(content)
      .then(() => file.sync())
      .finally(() => file.close())
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
  const opened = await open(folder, 'r')
  await opened.sync().finally(() => opened.close())
}
