import { createHmac, timingSafeEqual } from 'node:crypto'
import { hashSecretText, newSecretText } from './secret-text.ts'

/** How long somebody may take over a page. */
export const PAGE_MS = 10 * 60_000
const COOKIE = 'assay-oauth'

/** Values that a page carries in a hidden field until its form comes back: signed, for one browser, for a while. */
export function sealForm<T>(
  value: T,
  { secret, browser, now }: { secret: string; browser: string; now: number },
): string {
  const body = Buffer.from(JSON.stringify({ value, browser: hashSecretText(browser), until: now + PAGE_MS })).toString(
    'base64url',
  )
  return `${body}.${sign(body, secret)}`
}

/** The value, or null when it was not sealed here, for this browser, or is too old. */
export function openForm<T>(
  text: string,
  { secret, browser, now }: { secret: string; browser: string; now: number },
): T | null {
  const [body = '', mac = '', ...rest] = text.split('.')
  const wanted = Buffer.from(sign(body, secret))
  const given = Buffer.from(mac)
  if (rest.length > 0 || given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null
  const sealed = JSON.parse(Buffer.from(body, 'base64url').toString()) as { value: T; browser: string; until: number }
  return sealed.browser === hashSecretText(browser) && sealed.until > now ? sealed.value : null
}

const sign = (body: string, secret: string): string =>
  createHmac('sha256', createHmac('sha256', secret).update('oauth forms').digest()).update(body).digest('base64url')

/** `__Host-` binds the cookie to this host, and only https has it. */
const nameOf = (base: string) => (base.startsWith('https:') ? `__Host-${COOKIE}` : COOKIE)

/** The secret of the browser that shows our pages: a page elsewhere cannot send a form with it. */
export function browserOf(cookies: string | null, base: string): string | null {
  for (const part of (cookies ?? '').split(';')) {
    const [name, value = ''] = part.trim().split('=')
    if (name === nameOf(base) && /^[\w-]{43}$/.test(value)) return value
  }
  return null
}
export const newBrowser = newSecretText
export const browserCookie = (browser: string, base: string): string =>
  `${nameOf(base)}=${browser}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${PAGE_MS / 1_000}${base.startsWith('https:') ? '; Secure' : ''}`
