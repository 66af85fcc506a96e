import type { StateTick, SymbolStatus } from '@assay/core/domain/market/event'
import type { Clock } from '@assay/core/ports/clock/port'

const LOST_MS = 5000
const LOOK_MS = 1000

export interface HeartbeatOptions {
  venue: string
  symbols: readonly string[]
  clock: Clock
  emit: (states: StateTick[]) => void
}

export const statesOf = (
  symbols: readonly string[],
  venue: string,
  ts: number,
  state: SymbolStatus,
  reason: string,
): StateTick[] => symbols.map((symbol) => ({ kind: 'symbol_state', symbol, venue, ts, pos: 0, state, reason }))

/** Says that a live source is lost when nothing came for 5 s. What comes then opens its own symbol: the others have no valid mark yet. */
export function heartbeat({ venue, symbols, clock, emit }: HeartbeatOptions) {
  let beatAt = clock.monotonic()
  let lost = false
  return {
    /** something came */
    beat(): void {
      beatAt = clock.monotonic()
      lost = false
    },
    async watch(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        await clock.sleep(LOOK_MS, signal).catch(() => {})
        if (signal.aborted || lost || clock.monotonic() - beatAt < LOST_MS) continue
        lost = true
        emit(statesOf(symbols, venue, clock.now(), 'unknown', 'the feed is silent'))
      }
    },
  }
}
