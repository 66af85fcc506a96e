import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { writeWholeFile } from '../files/write-whole.ts'
import { SecretsError } from './port.ts'
import { KEY_BYTES } from './seal.ts'

/** 32 bytes from base64 or hex; RangeError otherwise. */
export function parseEncryptionKey(text: string): Uint8Array {
  const bytes = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64')
  if (bytes.length !== KEY_BYTES) throw new RangeError('ENCRYPTION_KEY must be 32 bytes, in base64 or hex.')
  return bytes
}

/** Why this is no key, or undefined. Random bytes hardly ever have fewer than 16 different values among 32. */
export function encryptionKeyWeakness(text: string): string | undefined {
  const bytes = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64')
  if (bytes.length !== KEY_BYTES) return 'must be 32 bytes in base64 or hex'
  if (new Set(bytes).size < 16) return 'is weak: use 32 random bytes (openssl rand -base64 32)'
  return undefined
}

const pathIn = (home: string): string => join(home, 'encryption.key')
/** The key that a replacement is on the way to; gone when it is there. */
const comingIn = (home: string): string => join(home, 'encryption.key.next')

/** The key that the folder keeps itself; where there is none, a new one is made, with a notice. */
export async function ownEncryptionKey(home: string, log: Pick<Logger, 'warn'>): Promise<Uint8Array> {
  if (existsSync(comingIn(home)))
    throw new SecretsError(
      `The replacement of ${pathIn(home)} was interrupted: ./assay rotate encryption-key goes on with it.`,
    )
  const known = await readKey(pathIn(home))
  if (known) return known
  const path = pathIn(home)
  const key = await makeKey(path)
  log.warn(
    { path },
    'ENCRYPTION_KEY is not set: a key was made for development; keep it, the secrets are lost without it',
  )
  return key
}

/**
 * Replaces the key that the folder keeps itself: `rewrap` takes what it seals from the old to the new one, and is asked
 * again where this was killed. False: there was nothing under the old one any more.
 */
export async function replaceOwnKey(
  home: string,
  rewrap: (from: Uint8Array, to: Uint8Array) => Promise<boolean>,
): Promise<boolean> {
  const from = await readKey(pathIn(home))
  if (!from) throw new SecretsError(`There is no ${pathIn(home)}: the folder keeps no key of its own.`)
  const to = (await readKey(comingIn(home))) ?? (await makeKey(comingIn(home)))
  const isRewrapped = await rewrap(from, to)
  await writeKey(pathIn(home), to)
  await rm(comingIn(home))
  return isRewrapped
}

async function readKey(path: string): Promise<Uint8Array | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  return text === null ? null : parseEncryptionKey(text.trim())
}
async function makeKey(path: string): Promise<Uint8Array> {
  const key = randomBytes(KEY_BYTES)
  await writeKey(path, key)
  return key
}
const writeKey = (path: string, key: Uint8Array): Promise<void> =>
  writeWholeFile(path, `${Buffer.from(key).toString('base64')}\n`)
