import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Logger } from 'pino'
import { writeWholeFile } from '../files/write-whole.ts'
import { KEY_BYTES } from './seal.ts'

/** 32 bytes from base64 or hex; RangeError otherwise. */
export function parseEncryptionKey(text: string): Uint8Array {
  const bytes = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64')
  if (bytes.length !== KEY_BYTES) throw new RangeError('ENCRYPTION_KEY must be 32 bytes, in base64 or hex.')
  return bytes
}

/** The key in `path`; where there is none, a new one is made, with a notice. */
export async function ownEncryptionKey(path: string, log: Pick<Logger, 'warn'>): Promise<Uint8Array> {
  const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (known !== null) return parseEncryptionKey(known.trim())
  const key = randomBytes(KEY_BYTES)
  await writeWholeFile(path, `${key.toString('base64')}\n`)
  log.warn(
    { path },
    'ENCRYPTION_KEY is not set: a key was made for development; keep it, the secrets are lost without it',
  )
  return key
}
