import type { ChannelSource } from '@assay/core/kernel/channel'
import type { Connection } from './connection.ts'
import type { Outgoing } from './outgoing.ts'

/**
 * One client on one channel. Until it is live it holds what the feed gives; `release` sends what the snapshot or the
 * replay did not cover and makes it live, in one synchronous step: no event can fall between.
 */
export class Subscription {
  #held: Outgoing[] | null = []
  #overflowed = false
  #seq = -1
  #mark = -1
  #ended = false

  constructor(
    readonly connection: Connection,
    readonly channel: string,
    readonly source: ChannelSource,
    readonly key: string,
  ) {}

  get ended(): boolean {
    return this.#ended || this.connection.closed
  }
  /** the last seq that the client has or is about to get */
  get seq(): number {
    return this.#seq
  }
  /** held events did not fit any more: since(seq) must be read again before release */
  get overflowed(): boolean {
    return this.#overflowed
  }
  accept(outgoing: Outgoing): void {
    if (this.#held === null) this.send(outgoing)
    else if (this.#held.length < this.connection.hub.limits.heldEvents) this.#held.push(outgoing)
    else this.#overflowed = true
  }
  /** Drops what is behind: events by seq; marks, which repeat the last seq, by mseq. */
  send(outgoing: Outgoing): void {
    const { kind, seq = 0, mseq } = outgoing.message
    if (kind === 'mark') {
      if (mseq !== undefined && mseq < this.#mark) return
      this.#mark = mseq ?? this.#mark
    } else {
      if (seq <= this.#seq) return
      this.#seq = seq
    }
    this.connection.enqueue(outgoing)
  }
  /** The client now stands at seq, by a snapshot or by its own word. */
  moveTo(seq: number): void {
    this.#seq = seq
  }
  /** Forgets the held events: whoever calls it reads since(seq) after it. */
  holdAnew(): void {
    this.#held = []
    this.#overflowed = false
  }
  /** Events may be missing: true where whoever calls it reads since(seq), false where that is under way anyway. */
  lose(): boolean {
    const isLive = this.#held === null
    if (isLive) this.holdAnew()
    else this.#overflowed = true
    return isLive
  }
  release(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const outgoing of held) this.send(outgoing)
  }
  end(): void {
    this.#ended = true
    this.#held = []
  }
}
