import { AssayError, type ErrorCode } from '../contracts/errors.ts'
import type { ChannelEvent } from './channel.ts'
import type { Ctx } from './context.ts'

/** Where a service answers for its channels to the websocket service elsewhere: one WebSocket, many channels. */
export const LINK_PATH = '/internal/channels'
/** Events that the other side has not taken yet, bytes, before the link ends; it reads again what it missed. */
export const LINK_UNSENT_BYTES = 8 * 1024 * 1024
/** Questions and listenings of one link. */
export const MOST_ASKED = 20_000

/** Who asks, without what only a process has. */
export type LinkCtx = Pick<Ctx, 'requestId' | 'actor' | 'address' | 'trace'>
export type Ask =
  | { op: 'parse'; name: string; key: string }
  | { op: 'authorize'; name: string; key: string; ctx: LinkCtx }
  | { op: 'snapshot'; name: string; key: string; ctx: LinkCtx }
  | { op: 'since'; name: string; key: string; after: number }
  | { op: 'listen'; name: string; key: string }
/** What the websocket service sends; `stop` ends the listening of that id. */
export type FromAsker = ({ id: number } & Ask) | { id: number; op: 'stop' }
/** What it gets: an answer, a refusal, or what the listening of that id hears. */
export type FromSource =
  | { id: number; value: unknown }
  | { id: number; error: { code: ErrorCode; detail: string; field?: string; retryable?: boolean } }
  | { id: number; event: ChannelEvent }
  /** events of the listening may be missing from here back */
  | { id: number; lost: true }

export const linkCtx = ({ requestId, actor, address, trace }: Ctx): LinkCtx => ({
  requestId,
  actor,
  address,
  ...(trace !== undefined && { trace }),
})

export function packError({ code, detail, options }: AssayError): Extract<FromSource, { error: unknown }>['error'] {
  const { field, retryable } = options
  return { code, detail, ...(field && { field }), ...(retryable && { retryable }) }
}
export const unpackError = ({ code, detail, ...options }: ReturnType<typeof packError>): AssayError =>
  new AssayError(code, detail, options)
