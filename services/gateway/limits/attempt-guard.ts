import { AssayError } from '@assay/core/contracts/errors'
import type { Limit, Limits } from '@assay/core/ports/limits/port'
import { networkOf } from './client.ts'

const MINUTE = 60_000
/** One address guessing one account's password. */
const PAIR: Limit = { name: 'login', points: 5, windowMs: 15 * MINUTE }
/** One address trying many accounts. */
const ADDRESS: Limit = { name: 'login-address', points: 30, windowMs: 15 * MINUTE }
/** Many addresses guessing one account's password; NIST SP 800-63B allows 100 failures in a row. */
const ACCOUNT: Limit = { name: 'login-account', points: 100, windowMs: 24 * 60 * MINUTE }
/** Codes of a second factor, 3 of 10^6 of which are right at a time: whoever tries them knows the password already. */
const CODE_PAIR: Limit = { name: 'second-factor', points: 5, windowMs: 15 * MINUTE }
const CODE_ACCOUNT: Limit = { name: 'second-factor-account', points: 20, windowMs: 24 * 60 * MINUTE }
const REGISTRATION: Limit = { name: 'register', points: 60, windowMs: 60 * MINUTE }
/** One address asking for letters. */
const LETTERS: Limit = { name: 'letters', points: 20, windowMs: 60 * MINUTE }
/** Letters that strangers may cause to one mailbox. */
const MAILBOX: Limit = { name: 'mailbox', points: 5, windowMs: 60 * MINUTE }

export interface Attempt {
  email: string
  address: string
  /** whether the account's owner has logged in from the address before; asked only while the account is under attack */
  isKnownAddress: () => Promise<boolean>
}

export interface CountedAttempt {
  /** the password was right: it does not count, and the failures before it from this address are forgotten */
  succeeded(): Promise<void>
  /** the password was never looked at: it does not count */
  withdrawn(): Promise<void>
}

export interface AttemptGuard {
  /** Counts an attempt before its password is looked at; throws rate_limited, or unavailable when nobody can count. */
  login(attempt: Attempt): Promise<CountedAttempt>
  /** Counts a code of a second factor before it is looked at; as `login`, and the same way for who is known there. */
  code(attempt: Omit<Attempt, 'email'> & { userId: string }): Promise<CountedAttempt>
  registration(address: string): Promise<void>
  /** Counts a letter; false: the mailbox had its share, which is nobody's business. Throws rate_limited for who asks too often. */
  letter(asked: Pick<Attempt, 'email' | 'address'>): Promise<boolean>
  /** An operator's word: failed logins to this account, from anywhere and from these networks, are forgotten. */
  unlock(email: string, networks: readonly string[]): Promise<void>
}

export interface AttemptGuardParts {
  limits: Limits
  /** what an e-mail is counted under: who reads the counts learns of nobody's */
  nameOf: (email: string) => string
  onHit: (name: string) => void
}
/**
 * Failed logins by address and account, by address, and by account. The last one does not count for addresses the owner
 * came from before, so that nobody can lock another out. Counted before the verification: racing attempts gain nothing.
 * It knows names only, so an account that does not exist behaves as one that does.
 */
export function createAttemptGuard({ limits, nameOf, onHit }: AttemptGuardParts): AttemptGuard {
  async function take(limit: Limit, who: string): Promise<void> {
    const [decision] = await limits.take(who, [limit])
    if (decision!.allowed) return
    onHit(limit.name)
    throw new AssayError('rate_limited', 'Too many attempts. Wait before the next one.', {
      retryAfterS: Math.ceil(decision!.retryAfterMs / 1_000),
    })
  }
  /** What can't be taken back stays counted. */
  async function giveBack(...works: (() => void | Promise<void>)[]): Promise<void> {
    await Promise.allSettled(works.map(async (work) => work()))
  }

  return {
    async login({ email, address, isKnownAddress }) {
      const network = networkOf(address)
      const account = nameOf(email)
      const pair = `${network} ${account}`
      await take(ADDRESS, network)
      await take(PAIR, pair)
      try {
        await take(ACCOUNT, account)
      } catch (refusal) {
        if (!isRateLimit(refusal) || !(await isKnownAddress())) throw refusal
      }
      const others = [() => limits.refund(network, ADDRESS), () => limits.refund(account, ACCOUNT)]
      return {
        succeeded: () => giveBack(() => limits.forget(pair, PAIR), ...others),
        withdrawn: () => giveBack(() => limits.refund(pair, PAIR), ...others),
      }
    },
    async code({ userId, address, isKnownAddress }) {
      const pair = `${networkOf(address)} ${userId}`
      await take(CODE_PAIR, pair)
      try {
        await take(CODE_ACCOUNT, userId)
      } catch (refusal) {
        if (!isRateLimit(refusal) || !(await isKnownAddress())) throw refusal
      }
      const account = () => limits.refund(userId, CODE_ACCOUNT)
      return {
        succeeded: () => giveBack(() => limits.forget(pair, CODE_PAIR), account),
        withdrawn: () => giveBack(() => limits.refund(pair, CODE_PAIR), account),
      }
    },
    registration: (address) => take(REGISTRATION, networkOf(address)),
    async letter({ email, address }) {
      await take(LETTERS, networkOf(address))
      const [decision] = await limits.take(nameOf(email), [MAILBOX])
      if (!decision!.allowed) onHit(MAILBOX.name)
      return decision!.allowed
    },
    async unlock(email, networks) {
      const account = nameOf(email)
      await limits.forget(account, ACCOUNT)
      for (const network of networks) await limits.forget(`${network} ${account}`, PAIR)
    },
  }
}

const isRateLimit = (error: unknown): boolean => error instanceof AssayError && error.code === 'rate_limited'
