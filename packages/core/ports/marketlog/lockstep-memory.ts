import type { Clock } from '../clock/port.ts'
import { DriverSilentError, type Lockstep, type Participant } from './lockstep.ts'

/** How far owners may follow behind events that no driver waits at. */
export const OWNER_LAG = 4096
export const SILENCE_MS = 60_000

interface Member {
  id: string
  done: number
  reportedAt: number
  /** that it answers for, where it named any: without one left nobody waits for it */
  slots: Set<number> | null
}
interface Waiter {
  ready: () => boolean
  resolve: () => void
  reject: (reason: unknown) => void
  signal: AbortSignal | undefined
}

/** Lockstep of a group whose participants are all in this process. */
export function createLockstep(group: string, clock: Clock, silenceMs = SILENCE_MS): Lockstep {
  const owners = new Set<Member>()
  const drivers = new Set<Member>()
  const waiters = new Set<Waiter>()
  let driven = false
  /** signals that are listened to: one listener each, however often it is waited with */
  const heard = new WeakSet<AbortSignal>()

  const lowest = (members: ReadonlySet<Member>): number => {
    let least = Number.POSITIVE_INFINITY
    for (const m of members) if (m.done < least && m.slots?.size !== 0) least = m.done
    return least
  }
  const ceiling = (): number => {
    const done = lowest(drivers)
    const applied = lowest(owners)
    return Math.max(Math.min(done, applied) + 1, Math.min(done, applied + 1 + OWNER_LAG))
  }
  const wake = (): void => {
    for (const waiter of waiters) {
      if (!waiter.ready()) continue
      waiters.delete(waiter)
      waiter.resolve()
    }
  }
  const hear = (signal: AbortSignal): void => {
    if (heard.has(signal)) return
    heard.add(signal)
    const abort = (): void => {
      for (const waiter of waiters) if (waiter.signal === signal) waiter.reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
  }
  async function until(
    ready: () => boolean,
    signal: AbortSignal | undefined,
    guard?: (stop: AbortSignal) => Promise<never>,
  ): Promise<void> {
    signal?.throwIfAborted()
    if (ready()) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter = { ready, resolve, reject, signal }
    waiters.add(waiter)
    if (signal) hear(signal)
    // most waits end in the turn of the loop in which they begin: they need no timer
    let stop: AbortController | undefined
    const watch = (): void => {
      stop = new AbortController()
      const { signal } = stop
      guard!(signal).catch((error) => !signal.aborted && reject(error))
    }
    const watching = guard && setImmediate(watch)
    try {
      await promise
    } finally {
      if (watching) clearImmediate(watching)
      stop?.abort()
      waiters.delete(waiter)
    }
  }
  /** Rejects once a driver that holds `mseq` back has said nothing for too long, counted from when it was waited for: `since`. */
  async function silence(mseq: number, since: number, stop: AbortSignal): Promise<never> {
    for (;;) {
      let wait = silenceMs
      for (const driver of drivers) {
        if (driver.done >= mseq - 1) continue
        const left = Math.max(driver.reportedAt, since) + silenceMs - clock.monotonic()
        if (left <= 0)
          throw new DriverSilentError(
            `driver ${driver.id} of group ${group} has not finished event ${mseq - 1} in ${silenceMs} ms`,
          )
        wait = Math.min(wait, left)
      }
      await clock.sleep(wait, stop)
    }
  }

  return {
    group,
    ceiling,
    join(kind, id): Participant {
      const members = kind === 'owner' ? owners : drivers
      const member: Member = { id, done: 0, reportedAt: clock.monotonic(), slots: null }
      /** slots that came in and have not been reported for since: they stand where they stood */
      const incoming = new Set<Member>()
      members.add(member)
      driven ||= kind === 'driver'
      wake()
      return {
        report(mseq) {
          for (const come of incoming) {
            members.delete(come)
            for (const slot of come.slots!) member.slots!.add(slot)
          }
          const moved = incoming.size > 0
          incoming.clear()
          if (mseq <= member.done && !moved) return
          member.done = Math.max(member.done, mseq)
          member.reportedAt = clock.monotonic()
          if (waiters.size > 0) wake()
        },
        async takes(slots) {
          member.slots ??= new Set()
          for (const slot of slots) {
            const come: Member = { ...member, done: 0, slots: new Set([slot]) }
            for (const other of owners) {
              if (!other.slots?.delete(slot)) continue
              come.done = other.done
              if (other.slots.size === 0) owners.delete(other)
            }
            owners.add(come)
            incoming.add(come)
          }
          owners.add(member)
        },
        async gives(slots) {
          const left = new Set(slots.filter((slot) => member.slots?.delete(slot)))
          if (left.size > 0) owners.add({ ...member, slots: left })
        },
        leave() {
          members.delete(member)
          if (member.slots) owners.add({ ...member, slots: new Set(member.slots) })
          wake()
        },
      }
    },
    driven: (signal) => until(() => driven, signal),
    applied: (mseq, signal) => until(() => lowest(owners) >= mseq, signal),
    released(mseq, signal) {
      const since = clock.monotonic()
      return until(
        () => ceiling() >= mseq,
        signal,
        (stop) => silence(mseq, since, stop),
      )
    },
  }
}
