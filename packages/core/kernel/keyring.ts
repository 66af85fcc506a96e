/** Ed25519 keys that sign what is kept: made at first start, kept by the secrets port, public halves where verifiers look. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { type JournalKey, type JournalKeys, kidOf, rotationText } from '../domain/journal/keys.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { Secrets } from '../ports/secrets/port.ts'

const KEY = 'keys'

interface StoredKey {
  key: JournalKey
  /** PKCS#8 DER, base64; null once the key was replaced */
  secret: string | null
}
export interface Keyring {
  /** the key in use; follows a rotation */
  readonly signer: { kid: string; sign(text: string): string }
  /** every key that ever signed, oldest first */
  document(): JournalKeys
  /** a new key, vouched for by the old one, which ends now */
  rotate(): Promise<void>
}
export interface KeyringParts {
  secrets: Pick<Secrets, 'getSecret' | 'setSecret'>
  clock: Clock
  /** of the secrets port: `secret/data/journal-keys` */
  path: string
  /** where the public halves are written; null: nowhere */
  file: string | null
}

export async function openKeyring({ secrets, clock, path, file }: KeyringParts): Promise<Keyring> {
  const stored = await secrets.getSecret(path, KEY)
  let keys: StoredKey[] = stored === null ? [] : JSON.parse(stored)
  let current: { kid: string; secret: KeyObject }

  const use = (): void => {
    const last = keys.at(-1)!
    current = {
      kid: last.key.kid,
      secret: createPrivateKey({ key: Buffer.from(last.secret!, 'base64'), format: 'der', type: 'pkcs8' }),
    }
  }
  const document = (): JournalKeys => ({ v: 1, keys: keys.map(({ key }) => key) })
  const keep = async (next: StoredKey[]): Promise<void> => {
    await secrets.setSecret(path, KEY, JSON.stringify(next))
    keys = next
    use()
    await publish()
  }
  const publish = async (): Promise<void> => {
    if (file === null) return
    await writeFile(`${file}.new`, `${JSON.stringify(document(), null, 2)}\n`)
    await rename(`${file}.new`, file)
  }

  if (keys.length === 0) await keep([generate(clock.now())])
  else {
    use()
    await publish()
  }
  return {
    get signer() {
      const { kid, secret } = current
      return { kid, sign: (text: string) => sign(null, Buffer.from(text), secret).toString('hex') }
    },
    document,
    async rotate() {
      const now = clock.now()
      const old = keys.at(-1)!
      const made = generate(now)
      const signature = sign(null, Buffer.from(rotationText(made.key, old.key.kid)), current.secret).toString('hex')
      await keep([
        ...keys.slice(0, -1),
        { key: { ...old.key, valid_to: now }, secret: null },
        { ...made, key: { ...made.key, signed_by: old.key.kid, signature } },
      ])
    },
  }
}

function generate(now: number): StoredKey {
  const { privateKey } = generateKeyPairSync('ed25519')
  const public_key = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')
  const secret = privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64')
  return {
    key: {
      kid: kidOf(public_key),
      alg: 'Ed25519',
      public_key,
      valid_from: now,
      valid_to: null,
      signed_by: null,
      signature: null,
    },
    secret,
  }
}
