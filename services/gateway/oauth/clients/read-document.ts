import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isLoopback } from '@assay/core/kernel/proxies'
import { OAuthError } from '../oauth-error.ts'
import { isPublicAddress } from './public-address.ts'

/** A client's metadata document is small (draft-ietf-oauth-client-id-metadata-document section 8.7). */
const MOST_BYTES = 5 * 1024
const TIMEOUT_MS = 5_000
const JSON_TYPE = /^application\/([\w.+-]+\+)?json\s*(;|$)/i

export interface ReadDocument {
  document: unknown
  /** `max-age` of the answer, s */
  maxAgeS: number | null
}
export type DocumentReader = (url: URL) => Promise<ReadDocument>

export interface DocumentReaderOptions {
  /** development: http, and hosts of this machine */
  local: boolean
  /** PEM of an authority beside the system's */
  ca?: string
  /** all addresses of a host; the system's resolver unless told */
  resolve?: (host: string) => Promise<string[]>
  timeoutMs?: number
}

/**
 * Reads a document that a stranger named. The host is resolved once, every address is checked, and the connection goes to
 * the checked address with the certificate of the name; no redirects, JSON only, 5 KiB, 5 s in all.
 */
export function createDocumentReader(options: DocumentReaderOptions): DocumentReader {
  const { local, ca, resolve = systemResolve, timeoutMs = TIMEOUT_MS } = options
  const mayReach = (address: string) => isPublicAddress(address) || (local && isLoopback(address))

  async function read(url: URL, signal: AbortSignal): Promise<ReadDocument> {
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const addresses = isIP(host) ? [host] : await resolve(host)
    if (addresses.length === 0 || !addresses.every(mayReach)) throw refused('is not on the public internet')
    signal.throwIfAborted()
    const at = new URL(url)
    at.hostname = isIP(addresses[0]!) === 6 ? `[${addresses[0]}]` : addresses[0]!
    const answer = await fetch(at, {
      headers: { host: url.host, accept: 'application/json', 'user-agent': 'assay-oauth' },
      redirect: 'manual',
      keepalive: false,
      signal,
      tls: { serverName: host, rejectUnauthorized: true, ...(ca && { ca }) },
    } as RequestInit)
    if (answer.status !== 200) throw refused(`answers ${answer.status}`)
    if (!JSON_TYPE.test(answer.headers.get('content-type') ?? '')) throw refused('is not application/json')
    const document = JSON.parse(await readText(answer)) as unknown
    return { document, maxAgeS: maxAge(answer.headers.get('cache-control')) }
  }

  return async (url) => {
    if (url.protocol !== 'https:' && !(local && url.protocol === 'http:')) throw refused('must be at an https address')
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      return await Promise.race([read(url, signal), rejectsAt(signal)])
    } catch (error) {
      // what exactly failed would tell a stranger about our network
      throw error instanceof OAuthError ? error : refused('could not be read')
    }
  }
}

const refused = (what: string) => new OAuthError('invalid_client', `The client's metadata document ${what}.`)

async function systemResolve(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

/** The resolver takes no signal. */
const rejectsAt = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

async function readText({ body }: Response): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let size = 0
  for await (const part of body ?? []) {
    size += part.length
    if (size > MOST_BYTES) throw refused(`is larger than ${MOST_BYTES} bytes`)
    text += decoder.decode(part, { stream: true })
  }
  return text + decoder.decode()
}

function maxAge(cacheControl: string | null): number | null {
  if (/\bno-(store|cache)\b/i.test(cacheControl ?? '')) return 0
  const seconds = /\bmax-age=(\d{1,9})\b/i.exec(cacheControl ?? '')?.[1]
  return seconds === undefined ? null : Number(seconds)
}
