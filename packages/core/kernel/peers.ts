import type { Actor } from './context.ts'
import type { PeerAnswer, PeerRequest } from './peer-exchange.ts'

/** One call to another process of the platform. */
export interface PeerCall {
  method?: string
  headers?: Record<string, string> | Headers
  body?: RequestInit['body']
  /** for whom this service asks, where it does not pass the caller's own credential on */
  act?: Actor
  /** ends the call */
  signal?: AbortSignal
  /** the whole call, body of the answer included; 10 s unless told. Travels as `x-deadline-ms`: what is left of it */
  timeoutMs?: number
  /** the body of the answer may take longer than `timeoutMs`: only `signal` ends it */
  streams?: boolean
}
/**
 * This process among the others of the platform. A route under `/internal/` is answered to peers only: a process that
 * proves by its certificate to be an Assay service. The edge marks such a request (`isInternal`).
 */
export interface Peers {
  /** what others know this process by, distinct among all that run: ASSAY_INSTANCE */
  readonly instance: string
  /** where others reach this process: ASSAY_PEER_URL; null: one process, nobody does */
  readonly url: string | null
  /** URLs of all replicas of a service that runs in processes of its own; empty in one process */
  replicas(service: string): readonly string[]
  /** `url` + `path` at the process there, which must prove to be `service`. Throws PeerError; any status is an answer. */
  fetch(service: string, url: string, path: string, call?: PeerCall): Promise<Response>
  /** the same over connections of its own, for a gateway: bytes in, bytes out, a stream where the answer is long. Throws PeerError. */
  ask(service: string, url: string, request: PeerRequest): Promise<PeerAnswer>
  /** a WebSocket to the process there, open; messages are strings or ArrayBuffers. Throws PeerError. */
  connect(service: string, url: string, path: string, call?: PeerSocketCall): Promise<WebSocket>
}
export interface PeerSocketCall {
  headers?: Record<string, string>
  protocols?: string[]
  /** of the handshake, 10 s unless told */
  timeoutMs?: number
}
/** No answer. `sent` false: it never began, so somebody else may be asked; true: nobody knows whether it was done. */
export class PeerError extends Error {
  /** what a WebSocket's handshake was answered with, instead of 101 */
  readonly status: number | undefined
  constructor(
    message: string,
    readonly sent: boolean,
    options: { cause?: unknown; status?: number } = {},
  ) {
    super(message, options)
    this.name = 'PeerError'
    this.status = options.status
  }
}
