import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { TotpLabel } from './port.ts'

const STEP_MS = 30_000
const DIGITS = 6
const KEY_BYTES = 20
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

export interface TotpKey {
  /** base64 */
  key: string
  /** the newest step whose code was used */
  used: number
}
export const newTotpKey = (): TotpKey => ({ key: randomBytes(KEY_BYTES).toString('base64'), used: -1 })

export const totpCode = (key: TotpKey, nowMs: number): string => codeOf(key, Math.floor(nowMs / STEP_MS))

/** The step whose code this is, now or one beside it, if it is newer than those used; null otherwise. */
export function totpStep(key: TotpKey, code: string, nowMs: number): number | null {
  if (!/^\d{6}$/.test(code)) return null
  const now = Math.floor(nowMs / STEP_MS)
  const steps = [now - 1, now, now + 1].filter((step) => step > key.used)
  return steps.find((step) => timingSafeEqual(Buffer.from(codeOf(key, step)), Buffer.from(code))) ?? null
}

export function totpUrl({ key }: TotpKey, { issuer, account }: TotpLabel): string {
  const parameters = new URLSearchParams({
    algorithm: 'SHA1',
    digits: String(DIGITS),
    issuer,
    period: String(STEP_MS / 1_000),
    secret: base32(Buffer.from(key, 'base64')),
  })
  return `otpauth://totp/${encodeURIComponent(issuer)}:${encodeURIComponent(account)}?${parameters}`
}

/** RFC 4226, 5.3: dynamic truncation. */
function codeOf({ key }: TotpKey, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', Buffer.from(key, 'base64')).update(counter).digest()
  const at = mac[mac.length - 1]! & 0xf
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 10 ** DIGITS).padStart(DIGITS, '0')
}

/** RFC 4648, no padding: 20 bytes need none. */
function base32(bytes: Uint8Array): string {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{5}/g) ?? []).map((five) => BASE32[Number.parseInt(five, 2)]).join('')
}
