import { createHash } from 'node:crypto'
import type { Blobs } from '@assay/core/ports/blobs/port'
import { counted, MigrateError, type Say } from './step.ts'

const AT_ONCE = 4
const PAGE = 1_000
const TOLD_EVERY = 500

export async function* namesOf(blobs: Blobs): AsyncGenerator<string[]> {
  for (let after = ''; ; ) {
    const names = await blobs.list('', { after, limit: PAGE })
    if (names.length === 0) return
    yield names
    after = names.at(-1)!
  }
}

/** Every blob under its name; what lies there already with the same bytes is left. Each is read back and compared. */
export async function moveBlobs(from: Blobs, to: Blobs, say: Say): Promise<void> {
  let done = 0
  let bytes = 0
  let put = 0
  const move = async (name: string): Promise<void> => {
    const content = await from.get(name)
    if (content === null) throw new MigrateError(`the blob ${name} went away meanwhile`)
    const hash = sha256(content)
    if (sha256(await to.get(name)) !== hash) {
      await to.put(name, content)
      put++
      if (sha256(await to.get(name)) !== hash)
        throw new MigrateError(`the blob ${name} has other bytes in the target than in the folder`)
    }
    bytes += content.length
    if (++done % TOLD_EVERY === 0) say('blobs', counted(done, 'blob'))
  }
  for await (const names of namesOf(from)) {
    const left = names.values()
    const worker = async () => {
      for (const name of left) await move(name)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  }
  say('blobs', `${counted(done, 'blob')}, ${counted(bytes, 'byte')}, ${put} of them put now: same hashes`)
}

const sha256 = (content: Uint8Array | null): string | null =>
  content && createHash('sha256').update(content).digest('hex')
