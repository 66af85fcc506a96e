import { createHmac } from 'node:crypto'
import { createTurns } from '../auth/turns.ts'

/** argon2id at 19 MiB and two passes (OWASP): about 22 ms of one core. */
const ARGON2ID = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const
const CURRENT = '$argon2id$v=19$m=19456,t=2,p=1$'
/** Before the hash of a password that was keyed with the pepper first. */
const PEPPERED = 'pepper1:'
/** Imports may be hashed so; a higher cost would be an hour of a core. */
const BCRYPT = /^\$2[aby]\$(0[4-9]|1[0-4])\$/
/** What bcrypt looks at. */
const BCRYPT_BYTES = 72

export interface PasswordHasher {
  hash(password: string): Promise<string>
  /** false too for a hash of a kind that is not known */
  verify(input: { hash: string; password: string }): Promise<boolean>
  /** the password is to be hashed anew where it is seen next */
  isOutdated(hash: string): boolean
}
export interface HasherOptions {
  running: number
  waiting: number
  /** who waits longer is refused for now */
  waitMs?: number | undefined
  /** key of the secrets port; `used`: new hashes depend on it, old ones do so in any case */
  pepper?: { key: string; used: boolean } | undefined
}

/**
 * Hashes passwords off the main thread, at most `running` at a time with `waiting` behind them. Whoever comes later is
 * refused at once: a queue of logins must not become the machine's memory and time.
 */
export function createPasswordHasher({ running, waiting, waitMs, pepper }: HasherOptions): PasswordHasher {
  const inTurn = createTurns({ running, waiting, waitMs })
  const keyed = (password: string, key: string): string =>
    createHmac('sha256', key).update(password.normalize('NFKC')).digest('base64')

  async function matches(hash: string, password: string): Promise<boolean> {
    if (hash.startsWith(PEPPERED))
      return pepper !== undefined && Bun.password.verify(keyed(password, pepper.key), hash.slice(PEPPERED.length))
    if (hash.startsWith('$argon2id$')) return Bun.password.verify(password.normalize('NFKC'), hash)
    if (!BCRYPT.test(hash)) return false
    // as the system it came from did: the bytes as they are, the first 72
    return Bun.password.verify(Buffer.from(password).subarray(0, BCRYPT_BYTES), `$2b$${hash.slice(4)}`)
  }

  return {
    hash: (password) =>
      inTurn(async () =>
        pepper?.used
          ? PEPPERED + (await Bun.password.hash(keyed(password, pepper.key), ARGON2ID))
          : Bun.password.hash(password.normalize('NFKC'), ARGON2ID),
      ),
    verify: ({ hash, password }) => inTurn(() => matches(hash, password)),
    isOutdated: (hash) => !hash.startsWith(pepper?.used ? PEPPERED + CURRENT : CURRENT),
  }
}
