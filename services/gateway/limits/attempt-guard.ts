import { AssayError } from '@assay/core/contracts/errors'
import type { Clock } from '@assay/core/ports/clock/port'
import { networkOf } from './client.ts'
import { Gcra, type Limit } from './gcra.ts'

const MINUTE = 60_000
/** One address guessing one account's password. */
const PAIR: Limit = { name: 'login', points: 5, windowMs: 15 * MINUTE }
/** One address trying many accounts. */
const ADDRESS: Limit = { name: 'login-address', points: 30, windowMs: 15 * MINUTE }
/** Many addresses guessing one account's password; NIST SP 800-63B allows 100 failures in a row. */
const ACCOUNT: Limit = { name: 'login-account', points: 100, windowMs: 24 * 60 * MINUTE }
const REGISTRATION: Limit = { name: 'register', points: 60, windowMs: 60 * MINUTE }

export interface Attempt {
  email: string
  address: string
  /** whether the account's owner has logged in from the address before; asked only while the account is under attack */
  isKnownAddress: () => Promise<boolean>
}

export interface CountedAttempt {
  /** the password was right: it does not count, and the failures before it from this address are forgotten */
  succeeded(): void
  /** the password was never looked at: it does not count */
  withdrawn(): void
}

export interface AttemptGuard {
  /** Counts an attempt before its password is looked at; throws rate_limited. */
  login(attempt: Attempt): Promise<CountedAttempt>
  registration(address: string): void
}

/**
 * Failed logins by address and account, by address, and by account. The last one does not count for addresses the owner
 * came from before, so that nobody can lock another out. Counted before the verification: racing attempts gain nothing.
 * It knows names only, so an account that does not exist behaves as one that does.
 */
export function createAttemptGuard({ clock, onHit }: { clock: Clock; onHit: (name: string) => void }): AttemptGuard {
  const gcra = new Gcra()

  function take(limit: Limit, who: string): void {
    const decision = gcra.take(`${limit.name} ${who}`, limit, clock.monotonic())
    if (decision.allowed) return
    onHit(limit.name)
    throw new AssayError('rate_limited', 'Too many attempts. Wait before the next one.', {
      retryAfterS: Math.ceil(decision.retryAfterMs / 1_000),
    })
  }

  return {
    async login({ email, address, isKnownAddress }) {
      const network = networkOf(address)
      const pair = `${network} ${email}`
      take(ADDRESS, network)
      take(PAIR, pair)
      try {
        take(ACCOUNT, email)
      } catch (refusal) {
        if (!(await isKnownAddress())) throw refusal
      }
      const refundOthers = () => {
        gcra.refund(`${ADDRESS.name} ${network}`, ADDRESS)
        gcra.refund(`${ACCOUNT.name} ${email}`, ACCOUNT)
      }
      return {
        succeeded() {
          gcra.forget(`${PAIR.name} ${pair}`)
          refundOthers()
        },
        withdrawn() {
          gcra.refund(`${PAIR.name} ${pair}`, PAIR)
          refundOthers()
        },
      }
    },
    registration: (address) => take(REGISTRATION, networkOf(address)),
  }
}
