/** The keys that sign journals: made at first start, kept by the secrets port, public halves where verifiers look. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type JournalKey, type JournalKeys, kidOf, rotationText } from '@assay/core/domain/journal/keys'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Secrets } from '@assay/core/ports/secrets/port'
import type { Signer } from '../engine/seal.ts'

const PATH = 'secret/data/journal-keys'
const KEY = 'keys'
/** The default of `assay verify --keys`, in ASSAY_HOME. */
export const KEYS_FILE = 'journal-keys.json'

interface StoredKey {
  key: JournalKey
  /** PKCS#8 DER, base64; null once the key was replaced */
  secret: string | null
}
export interface JournalKeyring {
  /** the key in use; follows a rotation */
  readonly signer: Signer
  /** every key that ever signed, oldest first */
  document(): JournalKeys
  /** a new key, vouched for by the old one, which ends now */
  rotate(): Promise<void>
}

export async function openJournalKeys(deps: {
  secrets: Pick<Secrets, 'getSecret' | 'setSecret'>
  clock: Clock
  home: string | null
}): Promise<JournalKeyring> {
  const { secrets, clock } = deps
  const stored = await secrets.getSecret(PATH, KEY)
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
    await secrets.setSecret(PATH, KEY, JSON.stringify(next))
    keys = next
    use()
    await publish()
  }
  const publish = async (): Promise<void> => {
    if (deps.home === null) return
    const path = join(deps.home, KEYS_FILE)
    await writeFile(`${path}.new`, `${JSON.stringify(document(), null, 2)}\n`)
    await rename(`${path}.new`, path)
  }

  if (keys.length === 0) await keep([generate(clock.now())])
  else {
    use()
    await publish()
  }
  return {
    get signer(): Signer {
      const { kid, secret } = current
      return { kid, sign: (text) => sign(null, Buffer.from(text), secret).toString('hex') }
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
