import type { Actor, Ctx } from '@assay/core/kernel/context'
import type { Seat } from '@assay/core/ports/presence/port'
import type { ServerWebSocket } from 'bun'
import { CLOSE, type CloseReason } from './close-codes.ts'
import type { Format } from './codec.ts'
import { leaveFeed } from './feed.ts'
import type { Hub } from './hub.ts'
import { controlOf, type Outgoing } from './outgoing.ts'
import type { ServerMessage } from './protocol.ts'
import { receive } from './receive.ts'
import { SendQueue } from './send-queue.ts'
import type { Subscription } from './subscription.ts'

type Socket = ServerWebSocket<Connection>
/** Who is connected. */
export interface Caller extends Ctx {
  actor: Actor
  /** what it was verified by, in memory only; absent: another service's word */
  credential?: string | undefined
}

/** One client. It is the socket's `data`: the process's shared handler calls open, message, drain, ping, pong and close on it. */
export class Connection {
  readonly subscriptions = new Map<string, Subscription>()
  /** operations that came and have not ended; they run one after the other */
  waitingOps = 0
  lastOp: Promise<void> = Promise.resolve()
  /** monotonic ms */
  heardAt: number
  pingedAt: number
  verifiedAt: number
  closed = false
  #socket!: Socket
  #queue!: SendQueue

  constructor(
    readonly hub: Hub,
    /** renewing replaces it */
    public caller: Caller,
    readonly format: Format,
    private readonly seat: Seat,
  ) {
    this.heardAt = this.pingedAt = this.verifiedAt = hub.clock.monotonic()
  }

  open(socket: Socket): void {
    const { hub, format } = this
    this.#socket = socket
    this.#queue = new SendQueue({
      socket,
      format,
      bufferedBytes: hub.limits.bufferedBytes,
      stats: hub.stats,
      now: () => hub.clock.monotonic(),
      onOverflow: () => this.end('tooSlow'),
    })
    hub.connections.add(this)
  }
  message(_: Socket, raw: string | Uint8Array): void {
    this.#hear()
    receive(this, raw)
  }
  drain(): void {
    this.#queue.drain()
  }
  ping(): void {
    this.#hear()
  }
  pong(): void {
    this.#hear()
  }
  /** The socket is gone: by the client, or by `end`. */
  close(): void {
    if (this.closed) return
    this.hub.stats.closed('client')
    this.#leave()
  }

  /** Ends the connection with a code that says why; it arrives after what the socket already took. */
  end(reason: CloseReason): void {
    if (this.closed) return
    this.hub.stats.closed(reason)
    this.#leave()
    const [code, text] = CLOSE[reason]
    this.#socket.close(code, text)
  }
  enqueue(outgoing: Outgoing): void {
    this.#queue.push(outgoing)
    if (!this.#queue.stalled) this.hub.flusher.mark(this.#queue)
  }
  send(message: Omit<ServerMessage, 'ts'>): void {
    if (this.closed) return
    this.enqueue(controlOf({ ...message, ts: this.hub.clock.now() }, this.hub.clock.monotonic()))
  }
  /** Resolves when the socket took everything so far, or the client is gone. */
  settled(): Promise<void> {
    return this.#queue.settled()
  }
  sendPing(): void {
    this.pingedAt = this.hub.clock.monotonic()
    this.#socket.ping()
  }
  unsubscribe(channel: string): boolean {
    const subscription = this.subscriptions.get(channel)
    if (!subscription) return false
    this.subscriptions.delete(channel)
    subscription.end()
    leaveFeed(this.hub, subscription)
    return true
  }

  #hear(): void {
    this.heardAt = this.hub.clock.monotonic()
  }
  #leave(): void {
    this.closed = true
    for (const channel of [...this.subscriptions.keys()]) this.unsubscribe(channel)
    this.#queue.close()
    this.hub.connections.delete(this)
    void this.seat.leave()
  }
}
