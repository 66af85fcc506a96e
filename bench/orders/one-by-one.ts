import type { EngineStore } from '../../services/trading/engine/store.ts'

/** The same statements, one transaction for each order. */
export const oneByOne = (store: EngineStore): EngineStore => ({
  ...store,
  async commit(batch, slots) {
    const committed = new Set<string>()
    const held = new Set<number>()
    for (const each of batch) {
      const report = await store.commit([each], slots)
      for (const account of report.committed) committed.add(account)
      for (const slot of report.held) held.add(slot)
    }
    return { committed, held }
  },
})
