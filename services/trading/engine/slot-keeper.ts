import type { Clock } from '@assay/core/ports/clock/port'
import type { Participant } from '@assay/core/ports/marketlog/lockstep'
import type { Logger } from 'pino'
import type { Desk } from './desk.ts'
import type { Leases } from './leases.ts'
import type { OwnerApi } from './owner-thread.ts'
import { writeState } from './seal.ts'
import type { EngineStore } from './store.ts'

const RENEW_MS = 1000
/** What is in flight when a slot moves has this long to become durable. */
const SETTLE_MS = 1000
/** Slots that move together: fewer wait at a time. */
const CHUNK = 16
/** A drain gives its slots one after the other no longer than this; the rest is free when the process ends. */
const HAND_OVER_MS = 1800
/** How long the next slots of a drain wait until the ones before have an owner. */
const TAKEN_MS = 400
const POLL_MS = 10

export interface SlotKeeperDeps {
  leases: Leases
  store: Pick<EngineStore, 'save'>
  desk: Pick<Desk, 'takeOver'>
  api: Pick<OwnerApi, 'release' | 'yield' | 'reportAgain'>
  participant: Pick<Participant, 'takes' | 'gives'>
  clock: Clock
  log: Pick<Logger, 'info' | 'warn'>
  /** how often the rows are read, ms; at most a second */
  lookMs: number
  /** its leases are fresh */
  renewed: () => void
  /** asks the other owners to look now */
  nudge: () => void
}

/** Which slots are this owner's: takes its share, gives back what is beyond it, drops what was lost, hands over at the end. */
export class SlotKeeper {
  /** slots that are ours, whose accounts have not been read */
  private readonly untaken = new Set<number>()
  /** slots that are served no more and not given yet */
  private readonly leaving = new Set<number>()
  private renewedAt = Number.NEGATIVE_INFINITY
  private round: Promise<void> | null = null
  private again = false
  private giving: Promise<void> | null = null
  private retired = false
  private serving = false

  constructor(private readonly deps: SlotKeeperDeps) {}

  /**
   * The slots to begin with: all, where nobody else can have them. Among others it takes none before it can serve them:
   * they would stand still for as long as it reads the log.
   */
  async begin(): Promise<number[]> {
    const { leases, clock } = this.deps
    if (leases.me.url !== null) return []
    const slots = await leases.acquire()
    this.renewedAt = clock.monotonic()
    return slots
  }
  /** It can serve: from now on it is one of those that share. */
  async opened(slots: readonly number[]): Promise<void> {
    await this.taken(slots)
    this.serving = true
  }
  /** The slots' accounts have come in. */
  private async taken(slots: readonly number[]): Promise<void> {
    const { leases, participant, api } = this.deps
    await participant.takes(slots.filter((slot) => leases.epochOf(slot) !== null))
    api.reportAgain()
  }

  async tend(signal: AbortSignal): Promise<void> {
    const { clock, lookMs, log } = this.deps
    while (!signal.aborted) {
      await clock.sleep(lookMs, signal).catch(() => {})
      if (signal.aborted) return
      await this.look().catch((err) => log.warn({ err }, 'engine: leases could not be asked'))
    }
  }
  /** One look at the rows, and what follows from it; who asks while one is under way gets one that begins later. */
  look(): Promise<void> {
    if (this.round) {
      this.again = true
      return this.round
    }
    this.round = this.looks().finally(() => {
      this.round = null
    })
    return this.round
  }
  private async looks(): Promise<void> {
    do {
      this.again = false
      await this.once()
    } while (this.again)
  }
  private async once(): Promise<void> {
    const { leases, clock, log } = this.deps
    if (!this.serving) {
      this.lose(await leases.look())
      return
    }
    const now = clock.monotonic()
    if (now - this.renewedAt >= RENEW_MS) {
      this.lose(await leases.renew())
      this.renewedAt = now
      this.deps.renewed()
    }
    this.lose(await leases.look())
    const taken = await leases.acquire()
    if (taken.length > 0) {
      log.info({ slots: taken }, 'engine: slots taken')
      // what was read of them while they were another's is not how they stand
      this.drop(taken)
      for (const slot of taken) this.untaken.add(slot)
    }
    if (this.untaken.size > 0) this.takeOver([...this.untaken])
    if (!this.retired) this.giveSurplus()
  }
  private lose(slots: readonly number[]): void {
    if (slots.length === 0) return
    this.deps.log.warn({ slots }, 'engine: slots went to another owner')
    this.drop(slots)
  }
  private drop(slots: readonly number[]): void {
    for (const slot of slots) {
      this.untaken.delete(slot)
      this.leaving.delete(slot)
    }
    this.deps.api.release(slots)
  }
  /** Beside renewal, which a long walk would hold up; what failed is tried again at the next look. */
  private takeOver(slots: readonly number[]): void {
    const { desk, leases, log } = this.deps
    for (const slot of slots) this.untaken.delete(slot)
    const take = async () => {
      await desk.takeOver(slots)
      await this.taken(slots)
    }
    take().catch((err) => {
      log.warn({ err, slots }, 'engine: the accounts of slots could not be taken over yet')
      for (const slot of slots) if (leases.epochOf(slot) !== null) this.untaken.add(slot)
    })
  }

  private giveSurplus(): void {
    const slots = [...new Set([...this.leaving, ...this.deps.leases.surplus()])].slice(0, CHUNK)
    if (slots.length === 0 || this.giving) return
    this.giving = this.give(slots)
      .catch((err) => this.deps.log.warn({ err, slots }, 'engine: slots could not be given to another owner yet'))
      .finally(() => {
        this.giving = null
      })
  }
  /** A planned move: what is in flight commits, exposed accounts are saved, then the next owner takes the slots at once. */
  private async give(slots: readonly number[]): Promise<void> {
    const { leases, api, store, participant, log } = this.deps
    for (const slot of slots) this.leaving.add(slot)
    leases.stopServing(slots)
    const saves = await api.yield(slots, SETTLE_MS)
    const epochs = slots.flatMap((slot) => {
      const epoch = leases.epochOf(slot)
      return epoch === null ? [] : [{ slot, epoch }]
    })
    if (saves.length > 0) {
      const rows = saves.map((save) => ({ ...save, text: writeState(save.state) }))
      // without it the next owner reads more of the log, nothing else
      await store.save(rows, epochs).catch((err) => log.warn({ err }, 'engine: accounts could not be saved'))
    }
    await participant.gives(slots)
    await leases.give(slots)
    for (const slot of slots) this.leaving.delete(slot)
    log.info({ slots, saved: saves.length }, 'engine: slots given')
    this.deps.nudge()
  }

  /** Gives every slot to the others, a few at a time: who has commands for them waits for milliseconds. */
  async handOver(): Promise<void> {
    // what cannot be given now is free when the process ends
    await this.giveAll().catch((err) => this.deps.log.warn({ err }, 'engine: slots could not be handed over'))
  }
  private async giveAll(): Promise<void> {
    const { leases, clock } = this.deps
    this.retired = true
    await leases.retire()
    const end = clock.monotonic() + HAND_OVER_MS
    await this.giving
    while (clock.monotonic() < end) {
      const slots = [...new Set([...this.leaving, ...leases.surplus()])].slice(0, CHUNK)
      if (slots.length === 0) return
      await this.give(slots)
      await this.untilTaken(slots, Math.min(end, clock.monotonic() + TAKEN_MS))
    }
  }
  private async untilTaken(slots: readonly number[], end: number): Promise<void> {
    const { leases, clock } = this.deps
    for (;;) {
      this.lose(await leases.look())
      if (slots.every((slot) => leases.ownerOf(slot)) || clock.monotonic() >= end) return
      await clock.sleep(POLL_MS)
    }
  }
}
