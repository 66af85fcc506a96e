import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { z } from 'zod'
import { writeWholeFile } from '../files/write-whole.ts'
import { ownEncryptionKey, parseEncryptionKey } from './encryption-key.ts'
import type { Secrets } from './port.ts'
import { KEY_BYTES, seal, unseal } from './seal.ts'

export interface SecretsFileOptions {
  home: string
  /** 32 bytes, base64 or hex; without it a key file is made in `home` */
  encryptionKey?: string | undefined
  log?: Pick<Logger, 'warn'>
}

const File = z.object({ version: z.literal(1), key: z.string(), content: z.string() })
const Content = z.object({
  secrets: z.record(z.string(), z.record(z.string(), z.string())),
  /** keys that never leave the adapter, base64 */
  keys: z.record(z.string(), z.string()),
})
const KEY_CONTEXT = 'assay secrets file: data key'
const CONTENT_CONTEXT = 'assay secrets file: content'

/** The secrets of one folder: AES-256-GCM under a data key that the ENCRYPTION_KEY wraps. */
export async function openSecretsFile({ home, encryptionKey, log = console }: SecretsFileOptions): Promise<Secrets> {
  const path = join(home, 'secrets.json')
  const wrapping =
    encryptionKey === undefined
      ? await ownEncryptionKey(join(home, 'encryption.key'), log)
      : parseEncryptionKey(encryptionKey)
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

  return {
    getSecret: async (at, key) => content.secrets[at]?.[key] ?? null,
    async setSecret(at, key, value) {
      content.secrets[at] = { ...content.secrets[at], [key]: value }
      await save()
    },
    async deleteSecret(at, key) {
      const { [key]: gone, ...rest } = content.secrets[at] ?? {}
      if (gone === undefined) return
      if (Object.keys(rest).length > 0) content.secrets[at] = rest
      else delete content.secrets[at]
      await save()
    },
    listSecrets: async (prefix) =>
      Object.keys(content.secrets)
        .filter((at) => at.startsWith(prefix))
        .sort(),
    encrypt: async (name, plain, context) => `v1.${seal(await namedKey(name), plain, `${name}\0${context}`)}`,
    async decrypt(name, sealed, context) {
      const key = content.keys[name]
      if (key === undefined || !sealed.startsWith('v1.'))
        throw new Error(`This was not encrypted under "${name}" here.`)
      return unseal(Buffer.from(key, 'base64'), sealed.slice(3), `${name}\0${context}`)
    },
    close: () => writing,
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
      content: { secrets: {}, keys: {} } as z.infer<typeof Content>,
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
