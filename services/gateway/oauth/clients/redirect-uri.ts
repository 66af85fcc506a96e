const HOST = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])$/
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])
/** `com.example.app:`: who owns the name owns the scheme (RFC 8252 section 7.1). */
const PRIVATE_SCHEME = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/

const isLoopback = ({ protocol, hostname }: URL): boolean => protocol === 'http:' && LOOPBACK.has(hostname)

/** Why nothing may be sent to this address; null: it may. */
export function redirectProblem(text: string): string | null {
  if (/[^\x21-\x7e]/.test(text) || !URL.canParse(text)) return 'must be an absolute URI'
  const url = new URL(text)
  if (text.includes('#')) return 'must have no fragment'
  if (url.username || url.password) return 'must have no user'
  if (PRIVATE_SCHEME.test(url.protocol)) return null
  if (url.protocol === 'https:') return HOST.test(url.hostname) ? null : 'must have a plain host name'
  return isLoopback(url)
    ? null
    : "must be https, http of this machine's loopback address, or a scheme such as com.example.app:"
}

/** Exactly one of the client's addresses; a loopback one on any port, since native apps take a free one (RFC 8252 section 7.3). */
export function isRegistered(asked: string, registered: readonly string[]): boolean {
  if (registered.includes(asked)) return redirectProblem(asked) === null
  if (redirectProblem(asked) !== null) return false
  const url = new URL(asked)
  return (
    isLoopback(url) && registered.some((text) => redirectProblem(text) === null && differsInPort(url, new URL(text)))
  )
}

const differsInPort = (asked: URL, known: URL): boolean =>
  isLoopback(known) &&
  asked.hostname === known.hostname &&
  asked.pathname === known.pathname &&
  asked.search === known.search

/** An address that only its owner can receive at: not a port or a scheme that any program of a machine may take. */
export const isOwned = (redirectUri: string): boolean => new URL(redirectUri).protocol === 'https:'

/** What a form may lead to, as a source of `form-action`: browsers apply it to the redirect that answers the form. */
export function formTarget(redirectUri: string): string {
  const { protocol, origin } = new URL(redirectUri)
  return protocol === 'https:' || protocol === 'http:' ? origin : protocol
}

/** The address with the answer in its query. */
export function withAnswer(redirectUri: string, answer: Record<string, string | null>): string {
  const url = new URL(redirectUri)
  for (const [name, value] of Object.entries(answer)) if (value !== null) url.searchParams.set(name, value)
  return url.href
}
