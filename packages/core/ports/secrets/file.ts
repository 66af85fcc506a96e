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
  /** keys that never leave the adapter, base64; of each its versions, the newest last */
  keys: z.record(z.string(), z.union([z.string().transform((only) => [only]), z.array(z.string()).min(1)])),
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
    const sealed = sealedFile(wrapping, dataKey, content)
    const next = writing.then(() => writeWholeFile(path, sealed))
    writing = next.catch(() => {})
    return next
  }
  const versionsOf = async (name: string): Promise<readonly string[]> => {
    const known = content.keys[name]
    if (known) return known
    const made = [newKey()]
    content.keys[name] = made
    await save()
    return made
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
      const versions = await versionsOf(name)
      return `v${versions.length}.${seal(Buffer.from(versions.at(-1)!, 'base64'), plain, `${name}\0${context}`)}`
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
function decryptWith(keys: z.infer<typeof Content>['keys'], { name, sealed, context }: Encrypted): Uint8Array {
  const [, version, text] = /^v([1-9]\d{0,5})\.(.*)$/s.exec(sealed) ?? []
  const key = keys[name]?.[Number(version) - 1]
  if (key === undefined || text === undefined) throw new SecretsError(`This was not encrypted under "${name}" here.`)
  return unseal(Buffer.from(key, 'base64'), text, `${name}\0${context}`)
}

const newKey = (): string => randomBytes(KEY_BYTES).toString('base64')
const pathIn = (home: string): string => join(home, 'secrets.json')
const wrappingKey = async ({ home, encryptionKey, log = console }: SecretsFileOptions): Promise<Uint8Array> =>
  encryptionKey === undefined ? ownEncryptionKey(home, log) : parseEncryptionKey(encryptionKey)

function sealedFile(wrapping: Uint8Array, dataKey: Uint8Array, content: z.infer<typeof Content>): string {
  const file = {
    version: 1,
    key: seal(wrapping, dataKey, KEY_CONTEXT),
    content: seal(dataKey, Buffer.from(JSON.stringify(content)), CONTENT_CONTEXT),
  }
  return `${JSON.stringify(file)}\n`
}

/**
 * The file of a folder that nobody has open under another key, what is in it under a new data key, and a new version of
 * each key that never leaves it: what the versions before have sealed is still read. False: it was done already.
 * The file is the old one or the new one, whenever this is killed.
 */
export async function rewrapSecretsFile(home: string, from: Uint8Array, to: Uint8Array): Promise<boolean> {
  const path = pathIn(home)
  const isDone = await readSecrets(path, to).then(
    () => true,
    () => false,
  )
  if (isDone) return false
  const { content } = await readSecrets(path, from)
  for (const versions of Object.values(content.keys)) versions.push(newKey())
  await writeWholeFile(path, sealedFile(to, new Uint8Array(randomBytes(KEY_BYTES)), content))
  return true
}

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
    throw new SecretsError(`${path} can't be opened: the ENCRYPTION_KEY is another one, or the file is damaged.`, {
      cause,
    })
  }
}
