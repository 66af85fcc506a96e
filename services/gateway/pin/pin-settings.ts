import { createHash, timingSafeEqual } from 'node:crypto'
import { createProxyList } from '@assay/core/kernel/proxies'

export interface PinSettings {
  /** of the one account that the PIN is of */
  email: string
  matches(pin: string): boolean
  /** addresses that need no enrolled device */
  isListed(address: string): boolean
}
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Null: no PIN is configured, nobody logs in by one. */
export function pinSettings(pin: string | undefined, email: string, addresses: readonly string[]): PinSettings | null {
  if (pin === undefined) return null
  const right = digest(pin)
  return { email, matches: (asked) => timingSafeEqual(digest(asked), right), isListed: createProxyList(addresses) }
}
