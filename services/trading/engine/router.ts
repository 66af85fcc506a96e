import { AssayError, type ErrorCode } from '@assay/core/contracts/errors'
import type { LiveView } from '@assay/core/domain/engine/live'
import type { Command, OrderBody } from '@assay/core/domain/engine/types'
import { PeerError, type Peers } from '@assay/core/kernel/peers'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Logger } from 'pino'
import type { Leases, Owner } from './leases.ts'
import type { Previewed } from './owner.ts'
import { clientIdOf, placesOrder } from './replies.ts'
import { slotOf } from './slots.ts'
import type { CommandMeta, Refused, Reply } from './types.ts'

/** While a slot moves, commands and reads wait this long. */
const HOLD_MS = 2000
const HOLD_STEP_MS = 10
/** An owner answers a command within 10 s, whatever happens; the way there and back on top. */
const ANSWER_MS = 11_000
/** The slot has had another owner for so long: the one that was asked will not answer any more. */
const GONE_MS = 1000
const GONE_STEP_MS = 100

export const MOVING = 'moving'
export type Moving = typeof MOVING
/** What the process that owns a slot does for its accounts; `moving`: it is not this one's (any more), nothing was done. */
export interface SlotOwner {
  submit(account: string, command: Command, meta: CommandMeta): Promise<Reply | Moving>
  read(account: string): Promise<LiveView | Moving>
  preview(account: string, order: OrderBody): Promise<Previewed | Moving>
}
/** A call of a SlotOwner on its way to another process. */
export type Ask = { [M in keyof SlotOwner]: { method: M; args: Parameters<SlotOwner[M]> } }[keyof SlotOwner]
/** Its answer: a value, or the public part of an AssayError. */
export type Told =
  | { value: unknown }
  | { moving: true }
  | { error: { code: ErrorCode; detail: string; retryAfterS?: number } }
/** Where owners answer each other. */
export const ASK_PATH = '/internal/engine/ask'
export const LOOK_PATH = '/internal/engine/look'

export interface RouterDeps {
  leases: Pick<Leases, 'me' | 'serves' | 'ownerOf' | 'others'>
  here: SlotOwner
  peers: Pick<Peers, 'fetch'> | null
  clock: Clock
  log: Pick<Logger, 'warn'>
  /** one look at who owns what */
  look: () => Promise<void>
  /** nothing is held any more */
  signal: AbortSignal
}

/** Finds the owner of an account's slot, here or in another process; waits while the slot moves. One hop: who is asked never asks on. */
export class Router {
  constructor(private readonly deps: RouterDeps) {}

  async submit(account: string, command: Command, meta: CommandMeta): Promise<Reply> {
    const ask: Ask = { method: 'submit', args: [account, command, meta] }
    const lost = (): Reply => unknownOutcome(command, clientIdOf({ account, command, ...meta }))
    const reply = await this.route(ask, () => this.deps.here.submit(account, command, meta), lost)
    if (reply === MOVING) return refusedMoving()
    const isUnknown = reply.kind === 'refused' && reply.code === 'outcome_unknown'
    return isUnknown && placesOrder(command) ? { ...reply, order: orderId({ account, command, ...meta }) } : reply
  }
  async read(account: string): Promise<LiveView> {
    return this.found(await this.route({ method: 'read', args: [account] }, () => this.deps.here.read(account)))
  }
  async preview(account: string, order: OrderBody): Promise<Previewed> {
    const here = () => this.deps.here.preview(account, order)
    return this.found(await this.route({ method: 'preview', args: [account, order] }, here))
  }
  private found<T>(seen: T | Moving): T {
    if (seen === MOVING) throw new AssayError('unavailable', 'The account is moving. Try again.', { retryAfterS: 1 })
    return seen as T
  }

  /** `lost`: what is answered when an owner was asked and its answer did not come; absent: asking again does no harm. */
  private async route<T>(ask: Ask, here: () => Promise<T | Moving>, lost?: () => T): Promise<T | Moving> {
    const { leases, clock, signal, look } = this.deps
    const slot = slotOf(ask.args[0])
    const end = clock.monotonic() + HOLD_MS
    for (let tries = 0; ; tries++) {
      const owner = leases.ownerOf(slot)
      let seen: T | Moving = MOVING
      if (leases.serves(slot)) seen = await here()
      else if (owner?.url && owner.id !== leases.me.id) seen = await this.there(owner, ask, lost)
      if (seen !== MOVING || signal.aborted || clock.monotonic() >= end) return seen
      if (tries > 0) await clock.sleep(HOLD_STEP_MS)
      await look().catch(() => {})
    }
  }
  private async there<T>(owner: Owner, ask: Ask, lost?: () => T): Promise<T | Moving> {
    const { peers, clock } = this.deps
    const done = new AbortController()
    try {
      const call = peers!.fetch('trading', owner.url!, ASK_PATH, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(ask),
        timeoutMs: lost ? ANSWER_MS : HOLD_MS,
        signal: done.signal,
      })
      const gone = this.gone(owner, slotOf(ask.args[0]), done.signal)
      const answer = await Promise.race([call, gone])
      if (!answer.ok) throw new PeerError(`trading at ${owner.url} answers ${answer.status}`, true)
      const told = (await Promise.race([answer.json(), gone])) as Told
      if ('moving' in told) return MOVING
      if ('value' in told) return told.value as T
      throw new AssayError(told.error.code, told.error.detail, told.error)
    } catch (error) {
      if (error instanceof AssayError) throw error
      if (lost && !(error instanceof PeerError && !error.sent)) {
        this.deps.log.warn({ err: error, owner: owner.id, account: ask.args[0] }, "an owner's answer was lost")
        return lost()
      }
      await clock.sleep(HOLD_STEP_MS)
      return MOVING
    } finally {
      done.abort()
    }
  }
  /** Rejects when the slot has been another's for a while: what stopped in its tracks does not hold its callers for longer. */
  private async gone(asked: Owner, slot: number, signal: AbortSignal): Promise<never> {
    const { leases, clock } = this.deps
    let since: number | null = null
    for (;;) {
      await clock.sleep(GONE_STEP_MS, signal).catch(() => {})
      // nobody listens any more
      if (signal.aborted) return new Promise<never>(() => {})
      const owner = leases.ownerOf(slot)
      since = owner && owner.id !== asked.id ? (since ?? clock.monotonic()) : null
      if (since !== null && clock.monotonic() - since >= GONE_MS)
        throw new PeerError(`trading at ${asked.url} lost slot ${slot}`, true)
    }
  }

  /** Asks the other owners to look at the rows now: slots are free. */
  nudge(): void {
    const { leases, peers } = this.deps
    for (const { url } of leases.others()) {
      if (!url || !peers) continue
      // without it they look a little later
      peers.fetch('trading', url, LOOK_PATH, { method: 'POST', timeoutMs: HOLD_MS }).catch(() => {})
    }
  }
}

const refusedMoving = (): Refused => ({
  kind: 'refused',
  code: 'unavailable',
  detail: 'The account is moving. Try again.',
  retryAfterS: 1,
})
const orderId = (of: Parameters<typeof clientIdOf>[0]): string => `client:${clientIdOf(of)}`
const unknownOutcome = (command: Command, clientId: string): Refused => ({
  kind: 'refused',
  code: 'outcome_unknown',
  detail: placesOrder(command)
    ? `The owner's answer was lost. Ask for the order client:${clientId}.`
    : "The owner's answer was lost. Look at the account before you ask again.",
})

/** On the owner's side: the answer to a call from another process. */
export async function tell(owner: SlotOwner, { method, args }: Ask): Promise<Told> {
  try {
    // each method's arguments are its own
    const value = await (owner[method] as (...args: unknown[]) => Promise<unknown>)(...args)
    return value === MOVING ? { moving: true } : { value }
  } catch (error) {
    if (!(error instanceof AssayError)) throw error
    const { retryAfterS } = error.options
    return { error: { code: error.code, detail: error.detail, ...(retryAfterS === undefined ? {} : { retryAfterS }) } }
  }
}
