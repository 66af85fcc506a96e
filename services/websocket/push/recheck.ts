import { AssayError } from '@assay/core/contracts/errors'
import type { Connection } from './connection.ts'
import type { Hub } from './hub.ts'

/** Each connection, while it lasts that nobody knows here what was revoked lately. */
const EVERY_MS = 1_000
/** Asked about at a time. */
const AT_ONCE = 32
/** Whom nobody can answer for is served so long. */
const UNSURE_MS = 10_000

/**
 * What is revoked ends connections by the bus. While the bus is not heard, their credentials are asked about as those of
 * requests are: who is refused goes, and in the end who is not answered for. Called a few times a second.
 */
export function createRecheck(hub: Hub): () => Promise<void> {
  let unsureSince: number | null = null
  let running = false

  async function check(connection: Connection): Promise<void> {
    const { caller } = connection
    try {
      if (caller.credential === undefined) throw new AssayError('unavailable', 'Nobody can be asked.')
      const actor = await hub.tokens.verify(caller.credential, caller.address)
      connection.verifiedAt = hub.clock.monotonic()
      if (actor.userId !== caller.actor.userId) connection.end('revoked')
    } catch (error) {
      // renewed meanwhile: the next time asks about the new one
      if (connection.caller !== caller) return
      const since = Math.max(connection.verifiedAt, unsureSince ?? 0)
      if (error instanceof AssayError && error.code === 'unauthorized') connection.end('revoked')
      else if (hub.clock.monotonic() - since > UNSURE_MS) connection.end('goingAway')
    }
  }

  return async () => {
    if (hub.tokens.isCurrent?.() ?? true) {
      unsureSince = null
      return
    }
    const now = hub.clock.monotonic()
    unsureSince ??= now
    if (running) return
    running = true
    const due = [...hub.connections].filter(({ verifiedAt }) => now - verifiedAt >= EVERY_MS)
    const worker = async () => {
      for (let one = due.pop(); one; one = due.pop()) if (!one.closed) await check(one)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker)).finally(() => {
      running = false
    })
  }
}
