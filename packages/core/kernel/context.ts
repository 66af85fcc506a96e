import type { AssayError } from '../contracts/errors.ts'
import type { Scope } from '../contracts/scopes.ts'

export interface Actor {
  userId: string
  role: 'trader' | 'operator' | 'admin' | 'bot' | 'service'
  tenant: string
  scopes: readonly Scope[]
  sessionId?: string
  keyId?: string
  plan: string
  /** an API key's own limits; absent: those of everybody */
  limits?: { requestsPerMinute?: number; ordersPerSecond?: number }
  /** an API key's addresses or CIDR ranges; absent: it is good from everywhere */
  addresses?: readonly string[]
  /** the OAuth client that acts for the user; absent: the user itself */
  clientId?: string
  /** end of the token, ms; absent for API keys without expiry */
  expiresAt?: number
}
/** Who asks, under which request id, from where. Made by a transport, given to a verb. */
export interface Ctx {
  requestId: string
  actor: Actor | null
  /** why the credential that was sent is not accepted; what needs an actor answers it, the rest goes on without one */
  denied?: AssayError
  address: string
  /** trace id of the caller's traceparent */
  trace?: string
  signal?: AbortSignal
  /** another service waits no longer than this, monotonic ms: onward calls get what is left */
  deadlineAt?: number
}
