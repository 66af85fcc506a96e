import { setImmediate } from 'node:timers/promises'
import type { LogSource } from '@assay/core/domain/proof/collect'
import type { MarketLog } from '@assay/core/ports/marketlog/port'

/** One group of the market log as a builder reads it; between batches the thread serves others. */
export const logSource = (marketlog: MarketLog, group: string): LogSource => ({
  segments: (from, to) => marketlog.segments(group, from, to),
  carry: (mseq) => marketlog.carry(group, mseq),
  async *read(from, to) {
    if (from > to) return
    const stop = new AbortController()
    try {
      for await (const batch of marketlog.read(group, from, stop.signal)) {
        await setImmediate()
        const end = batch.findIndex((event) => event.mseq > to)
        yield end < 0 ? batch : batch.slice(0, end)
        if (end >= 0 || batch.at(-1)!.mseq >= to) return
      }
    } finally {
      stop.abort()
    }
  },
})
