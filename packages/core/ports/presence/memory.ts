import { Held } from './held.ts'
import type { Presence } from './port.ts'

/** The presence of one process: its seats end with it. */
export function createMemoryPresence(): Presence {
  const held = new Held()
  return {
    async enter(who, most) {
      const id = crypto.randomUUID()
      if (!held.add(who, id, most)) return null
      return { id, leave: async () => void held.delete(who, id) }
    },
    list: async (who) => held.of(who),
    away: () => null,
    close: async () => held.clear(),
  }
}
