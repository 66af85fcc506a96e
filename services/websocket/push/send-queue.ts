import type { Format } from './codec.ts'
import type { PushStats } from './metrics.ts'
import { frameOf, type Outgoing } from './outgoing.ts'

/** What the queue needs of Bun's ServerWebSocket. */
export interface Socket {
  send(data: string | Uint8Array<ArrayBuffer>): number
  cork(write: () => void): unknown
  getBufferedAmount(): number
}
export interface QueueOptions {
  socket: Socket
  format: Format
  bufferedBytes: number
  stats: PushStats
  /** monotonic ms */
  now: () => number
  onOverflow: () => void
}

/**
 * Messages of one client, in order. While the socket takes them they are written as they are; once it pushes back
 * they wait in a backlog where messages with the same conflation key replace each other. The replacement goes to
 * the end, not to the place of the old one: seq must never fall on the wire.
 */
export class SendQueue {
  /** in the flusher's list */
  dirty = false
  #fresh: Outgoing[] = []
  #backlog = new Map<string | Outgoing, Outgoing>()
  #backlogBytes = 0
  #stalled = false
  #closed = false
  #waiting: (() => void)[] = []

  constructor(private readonly options: QueueOptions) {}

  get stalled(): boolean {
    return this.#stalled
  }
  push(outgoing: Outgoing): void {
    if (this.#closed) return
    if (this.#stalled) this.#hold(outgoing)
    else this.#fresh.push(outgoing)
  }
  /** Writes what came since the last flush, in as few system calls as the socket allows. */
  flush(): void {
    if (this.#closed) return
    const fresh = this.#fresh
    this.#fresh = []
    let written = 0
    this.options.socket.cork(() => {
      while (written < fresh.length && !this.#stalled && !this.#closed) this.#write(fresh[written++]!)
    })
    this.#checkPressure()
    while (written < fresh.length && !this.#closed) this.#hold(fresh[written++]!)
    this.options.stats.dropped += fresh.length - written
    this.#settle()
  }
  /** The socket has room again. */
  drain(): void {
    if (!this.#stalled || this.#closed || this.options.socket.getBufferedAmount() > 0) return
    this.#stalled = false
    this.options.socket.cork(() => {
      for (const [key, outgoing] of this.#backlog) {
        if (this.#stalled || this.#closed) break
        this.#backlog.delete(key)
        this.#backlogBytes -= this.#bytes(outgoing)
        this.#write(outgoing)
        this.options.stats.delay('backlog', this.options.now() - outgoing.at)
      }
    })
    this.#checkPressure()
    if (this.#backlog.size > 0) this.#stalled = true
    this.#settle()
  }
  /** Resolves when everything pushed so far is in the socket, or the client is gone. */
  settled(): Promise<void> {
    if (this.#closed || (this.#fresh.length === 0 && !this.#stalled)) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
  /** What waits is dropped. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.options.stats.dropped += this.#fresh.length + this.#backlog.size
    this.#fresh = []
    this.#backlog.clear()
    this.#settle()
  }

  #write(outgoing: Outgoing): void {
    const { data, bytes } = frameOf(outgoing, this.options.format)
    const sent = this.options.socket.send(data)
    // -1: taken, but the socket's buffer has begun to fill; 0: refused
    if (sent === 0) {
      this.#overflow(1)
    } else {
      if (sent < 0) this.#stalled = true
      this.options.stats.sent(outgoing.message.type, bytes)
    }
  }
  #hold(outgoing: Outgoing): void {
    const key = outgoing.conflate ?? outgoing
    const older = this.#backlog.get(key)
    const held = older ? skipping(outgoing, older) : outgoing
    if (older) {
      this.#backlog.delete(key)
      this.#backlogBytes -= this.#bytes(older)
      this.options.stats.conflated++
    }
    this.#backlog.set(key, held)
    this.#backlogBytes += this.#bytes(held)
    if (this.#backlogBytes + this.options.socket.getBufferedAmount() > this.options.bufferedBytes) this.#overflow(0)
  }
  #bytes(outgoing: Outgoing): number {
    return frameOf(outgoing, this.options.format).bytes
  }
  /** A corked write meets the kernel only when the cork is pulled: send() could not tell. */
  #checkPressure(): void {
    if (!this.#closed && this.options.socket.getBufferedAmount() > 0) this.#stalled = true
  }
  #overflow(refused: number): void {
    this.options.stats.dropped += refused
    this.close()
    this.options.onOverflow()
  }
  #settle(): void {
    if (this.#waiting.length === 0 || (this.#stalled && !this.#closed)) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

/** The newer message with the count of those it replaces; a copy, since other clients got all of them. */
function skipping(newer: Outgoing, older: Outgoing): Outgoing {
  const skipped = (older.message.skipped ?? 0) + 1
  return { message: { ...newer.message, skipped }, conflate: newer.conflate, at: newer.at }
}
