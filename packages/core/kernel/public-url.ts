import { z } from 'zod'

/** Plain HTTP is only for this machine. */
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/

/** PUBLIC_URL as config slices read it: an origin. */
export const publicUrl = () =>
  z
    .url('must be a URL like https://assay.example')
    .transform((text, ctx) => {
      const { origin, href } = new URL(text)
      if (href === `${origin}/` && (origin.startsWith('https://') || LOOPBACK.test(origin))) return origin
      ctx.addIssue('must be https://host[:port] without a path; http only for localhost')
      return z.NEVER
    })
    .optional()

export interface PublicUrl {
  /** the platform's origin, for what leaves it in answers; null: nobody configured it, and this request cannot tell it */
  of(request: Pick<Request, 'url'>): string | null
  /** whether an access token may name it as its issuer */
  isOurs(issuer: string): boolean
}

/** What is configured; without that, outside production, the loopback address under which a request arrived. A Host header is believed for nothing else. */
export function createPublicUrl(configured: string | undefined, production: boolean): PublicUrl {
  const isLocal = (origin: string) => configured === undefined && !production && LOOPBACK.test(origin)
  return {
    of({ url }) {
      if (configured !== undefined) return configured
      const origin = originOf(url)
      return isLocal(origin) ? origin : null
    },
    isOurs: (issuer) => issuer === configured || isLocal(issuer),
  }
}

function originOf(url: string): string {
  const path = url.indexOf('/', url.indexOf('://') + 3)
  return path === -1 ? url : url.slice(0, path)
}
