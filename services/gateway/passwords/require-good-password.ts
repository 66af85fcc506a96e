import { readFileSync } from 'node:fs'
import { AssayError } from '@assay/core/contracts/errors'

/** Where common-passwords.txt comes from is said beside it. */
const FILE = new URL('./common-passwords.txt', import.meta.url)
/** Words that say where a password is for, beside the name and e-mail of its owner. */
const OURS = ['assay', 'trading', 'trader', 'operator', 'password', 'passwort']
/** What has to be left of a password without such words. */
const OWN_LETTERS = 4
/** A part of a name shorter than this is in too many words. */
const WORD_MIN = 4

let common: ReadonlySet<string> | undefined
/** Passwords of 8 characters and more that were counted in breaches, in lower case, most frequent first. */
export function commonPasswords(): ReadonlySet<string> {
  common ??= new Set(readFileSync(FILE, 'utf8').trimEnd().split('\n'))
  return common
}

/** Why nobody should have this password, or null. `about`: e-mail and name of who is to have it. */
export function weaknessOf(password: string, about: readonly string[] = []): string | null {
  const plain = password.normalize('NFKC').toLowerCase()
  if (commonPasswords().has(plain)) return 'is one of the passwords that are tried first: it was found in breaches'
  if (new Set(plain).size < OWN_LETTERS) return 'repeats too few characters'
  let rest = plain
  for (const word of [...wordsOf(about), ...OURS]) rest = rest.replaceAll(word, '')
  if (rest.replace(/[\p{P}\p{Z}]/gu, '').length >= OWN_LETTERS) return null
  return 'says little more than your name, your e-mail or what it is for'
}

/** Refuses such a password by its field. */
export function requireGoodPassword(password: string, about: readonly string[], field = 'password'): void {
  const weakness = weaknessOf(password, about)
  if (weakness) throw new AssayError('validation_failed', `${field}: ${weakness}`, { field })
}

const wordsOf = (about: readonly string[]): string[] =>
  about
    .flatMap((text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u))
    .filter((word) => word.length >= WORD_MIN)
    .sort((a, b) => b.length - a.length)
