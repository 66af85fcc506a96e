import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { z } from 'zod'
import { writeWholeFile } from '../files/write-whole.ts'
import { ownEncryptionKey, parseEncryptionKey } from './encryption-key.ts'
import { checkKeyName, checkSecretPath, checkSecretPrefix } from './name.ts'
import { type Secrets, SecretsError } from './port.ts'
import { KEY_BYTES, seal, unseal } from './seal.ts'
import { newTotpKey, totpCode, totpStep, totpUrl } from './totp.ts'

export interface SecretsFileOptions {
  home: string
  /** 32 bytes, base64 or hex; without it a key file is made in `home` */
  encryptionKey?: string | undefined
  log?: Pick<Logger, 'warn'>
  /** wall clock, ms */
  now?: () => number
}

const File = z.object({ version: z.literal(1), key: z.string(), content: z.string() })
const Content = z.object({
  secrets: z.record(z.string(), z.record(z.string(), z.string())),
  /** keys that never leave the adapter, base64 */
  keys: z.record(z.string(), z.string()),
  totp: z.record(z.string(), z.object({ key: z.string(), used: z.number().int() })).default({}),
})
const NO_LOGINS =
  'The secrets file issues no database logins: point VAULT_ADDR at a secrets server, or change the password in DATABASE_URL.'
const MAX_LISTED = 1_000
const KEY_CONTEXT = 'assay secrets file: data key'
const CONTENT_CONTEXT = 'assay secrets file: content'

/** The secrets of one folder: AES-256-GCM under a data key that the ENCRYPTION_KEY wraps. */
export async function openSecretsFile(options: SecretsFileOptions): Promise<Secrets> {
  const { home, now = Date.now } = options
  const path = pathIn(home)
  const wrapping = await wrappingKey(options)
  const { dataKey, content } = await readSecrets(path, wrapping)
  let writing: Promise<void> = Promise.resolve()

  const save = (): Promise<void> => {
    const file = {
      version: 1,
      key: seal(wrapping, dataKey, KEY_CONTEXT),
      content: seal(dataKey, Buffer.from(JSON.stringify(content)), CONTENT_CONTEXT),
    }
    const next = writing.then(() => writeWholeFile(path, `${JSON.stringify(file)}\n`))
    writing = next.catch(() => {})
    return next
  }
  const namedKey = async (name: string): Promise<Uint8Array> => {
    if (content.keys[name] === undefined) {
      content.keys[name] = randomBytes(KEY_BYTES).toString('base64')
      await save()
    }
    return Buffer.from(content.keys[name], 'base64')
  }

  const totpKey = (name: string) => {
    const key = content.totp[name]
    if (!key) throw new SecretsError(`There is no TOTP key "${name}".`)
    return key
  }

  return {
    async getSecret(at, key) {
      checkSecretPath(at)
      return content.secrets[at]?.[key] ?? null
    },
    async setSecret(at, key, value) {
      checkSecretPath(at)
      content.secrets[at] = { ...content.secrets[at], [key]: value }
      await save()
    },
    // one process has the folder: nobody comes between the look and the write
    async addSecret(at, key, value) {
      checkSecretPath(at)
      const known = content.secrets[at]?.[key]
      if (known === undefined) content.secrets[at] = { ...content.secrets[at], [key]: value }
      // what another call has just set may not be on the disk yet
      await (known === undefined ? save() : writing)
      return known ?? value
    },
    async deleteSecret(at, key) {
      checkSecretPath(at)
      const { [key]: gone, ...rest } = content.secrets[at] ?? {}
      if (gone === undefined) return
      if (Object.keys(rest).length > 0) content.secrets[at] = rest
      else delete content.secrets[at]
      await save()
    },
    async listSecrets(prefix) {
      checkSecretPrefix(prefix)
      const found = Object.keys(content.secrets).filter((at) => at.startsWith(prefix))
      return found.sort().slice(0, MAX_LISTED)
    },
    async encrypt(name, plain, context) {
      checkKeyName(name)
      return `v1.${seal(await namedKey(name), plain, `${name}\0${context}`)}`
    },
    async decrypt(name, sealed, context) {
      checkKeyName(name)
      return decryptWith(content.keys, { name, sealed, context })
    },
    async createTotp(name, label) {
      checkKeyName(name)
      const key = newTotpKey()
      content.totp[name] = key
      await save()
      return totpUrl(key, label)
    },
    async generateTotp(name) {
      checkKeyName(name)
      return totpCode(totpKey(name), now())
    },
    async verifyTotp(name, code) {
      checkKeyName(name)
      const key = totpKey(name)
      const step = totpStep(key, code, now())
      if (step === null) return false
      key.used = step
      await save()
      return true
    },
    async deleteTotp(name) {
      checkKeyName(name)
      if (content.totp[name] === undefined) return
      delete content.totp[name]
      await save()
    },
    databaseCredentials: () => Promise.reject(new SecretsError(NO_LOGINS)),
    rotateDatabaseCredentials: () => Promise.reject(new SecretsError(NO_LOGINS)),
    away: () => null,
    close: () => writing,
  }
}

interface Encrypted {
  name: string
  sealed: string
  context: string
}
function decryptWith(keys: Readonly<Record<string, string>>, { name, sealed, context }: Encrypted): Uint8Array {
  const key = keys[name]
  if (key === undefined || !sealed.startsWith('v1.'))
    throw new SecretsError(`This was not encrypted under "${name}" here.`)
  return unseal(Buffer.from(key, 'base64'), sealed.slice(3), `${name}\0${context}`)
}

const pathIn = (home: string): string => join(home, 'secrets.json')
const wrappingKey = async ({ home, encryptionKey, log = console }: SecretsFileOptions): Promise<Uint8Array> =>
  encryptionKey === undefined ? ownEncryptionKey(join(home, 'encryption.key'), log) : parseEncryptionKey(encryptionKey)

/** All that a folder's file holds, for its move to a secrets server: values by path and key, names of encryption and TOTP keys, and what the former made. */
export async function readSecretsFile(options: SecretsFileOptions) {
  if (!existsSync(pathIn(options.home)))
    return { secrets: {}, keys: [], totp: [], decrypt: (asked: Encrypted) => decryptWith({}, asked) }
  const { content } = await readSecrets(pathIn(options.home), await wrappingKey(options))
  return {
    secrets: content.secrets,
    keys: Object.keys(content.keys),
    totp: Object.keys(content.totp),
    decrypt: (asked: Encrypted) => decryptWith(content.keys, asked),
  }
}

async function readSecrets(path: string, wrapping: Uint8Array) {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null)
    return {
      dataKey: new Uint8Array(randomBytes(KEY_BYTES)),
      content: { secrets: {}, keys: {}, totp: {} } as z.infer<typeof Content>,
    }
  try {
    const file = File.parse(JSON.parse(text))
    const dataKey = unseal(wrapping, file.key, KEY_CONTEXT)
    const plain = new TextDecoder().decode(unseal(dataKey, file.content, CONTENT_CONTEXT))
    return { dataKey, content: Content.parse(JSON.parse(plain)) }
  } catch (cause) {
    throw new Error(`${path} can't be opened: the ENCRYPTION_KEY is another one, or the file is damaged.`, { cause })
  }
}
