import type { Logger } from 'pino'
import { identityRevoked } from '../contracts/topics/identity.ts'
import type { Bus } from '../ports/bus/port.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { Db } from '../ports/db/port.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Peers } from './peers.ts'
import type { RevocableVerifier } from './verify-token.ts'

const BEAT_MS = 500
/** A revocation that stands in the outbox for longer than this keeps the heart from beating. */
const MARGIN_MS = 250
/** What is remembered holds while everything revoked until so long ago is known; 0.2 s are left for clocks that differ. */
export const HEARD_MS = 1_800

export interface Hearing {
  /** everything revoked before then, wall clock ms, is known here */
  heard(until: number): void
  /** false: something revoked more than 2 s ago may not be known here */
  isCurrent(): boolean
}

/** How far this process knows what was revoked. A wall clock that is set back does not make old news new. */
export function createHearing(clock: Pick<Clock, 'now' | 'monotonic'>): Hearing {
  let until = Number.NEGATIVE_INFINITY
  let heardAt = Number.NEGATIVE_INFINITY
  return {
    heard(upTo) {
      if (upTo <= until && clock.now() >= until) return
      until = upTo
      heardAt = clock.monotonic()
    },
    isCurrent: () => clock.monotonic() - heardAt <= HEARD_MS && clock.now() - until <= HEARD_MS,
  }
}

export interface RevocationsOptions {
  bus: Pick<Bus, 'subscribe'>
  peers: Pick<Peers, 'instance'>
  lifecycle: Pick<Lifecycle, 'defer'>
}

/** What the gateway revokes is forgotten here too. Each process remembers for itself: each is a group of its own. */
export async function forgetRevoked(
  tokens: RevocableVerifier,
  hearing: Hearing,
  { bus, peers, lifecycle }: RevocationsOptions,
): Promise<void> {
  const subscription = await bus.subscribe(
    { group: `revoked.${peers.instance}`, topics: [identityRevoked], from: 'latest' },
    async ({ envelope }) => {
      const { what, id, user_id, until } = identityRevoked.schema.parse(envelope.data)
      if (what === 'session' && id !== null) tokens.revokeSession(id)
      if (what === 'key' && id !== null) tokens.revokeKey(id)
      if (what === 'user' && user_id !== null) tokens.revokeUser(user_id)
      if (what === 'heartbeat' && until !== undefined) hearing.heard(Date.parse(until))
    },
  )
  lifecycle.defer('revocations', () => subscription.close())
}

export interface HeartbeatOptions {
  bus: Pick<Bus, 'publish'>
  db: Db
  clock: Clock
  log: Pick<Logger, 'warn'>
  lifecycle: Pick<Lifecycle, 'background'>
}

/**
 * The gateway's word, twice a second, that all it revoked until a moment ago stands on the topic before this word. It
 * says nothing while the outbox still holds an older revocation: who hears nothing asks for each credential.
 */
export function beatHeart({ bus, db, clock, log, lifecycle }: HeartbeatOptions): void {
  async function beat(): Promise<void> {
    const until = clock.now() - MARGIN_MS
    const waiting = await db
      .as('bus')
      .query(`select 1 from outbox where topic = $1 and ts < now() - interval '${MARGIN_MS} milliseconds' limit 1`, [
        identityRevoked.name,
      ])
    if (waiting.length > 0) return
    const data = { what: 'heartbeat' as const, id: null, user_id: null, until: new Date(until).toISOString() }
    await bus.publish(identityRevoked, 'heartbeat', data)
  }

  lifecycle.background('identity heartbeat', async (signal) => {
    const closing = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    while (!signal.aborted) {
      const beaten = beat().catch((err) => log.warn({ err }, 'no heartbeat of what was revoked'))
      // a broker that is away is waited for by one word, not by a queue of them, and not at the end
      await Promise.race([beaten, closing])
      await clock.sleep(BEAT_MS, signal).catch(() => {})
    }
  })
}
