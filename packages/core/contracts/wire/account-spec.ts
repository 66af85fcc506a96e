import { type AccountSpec, ENGINE_VERSION } from '../../domain/engine/types.ts'
import type { Instrument } from '../../domain/instruments/instrument.ts'
import { resolveInstruments } from '../../domain/instruments/resolve.ts'
import { zoneOf } from '../../domain/time/zone.ts'
import type { TierDocument } from './tier.ts'

export interface ResolvedSpec {
  spec: AccountSpec
  /** `TST/USD.clip`: fields of inline instruments that were left out and have a default */
  defaults: string[]
}

/** What decides an assessment under this tier: the tier's rules and the catalogue with its overrides merged in. */
export function specOf(tier: TierDocument, catalogue: readonly Instrument[], group = 'main'): ResolvedSpec {
  const { instruments, defaults } = resolveInstruments(catalogue, tier.instruments)
  const { name: _, price: _price, fees: _fees, instruments: _said, ...rest } = tier
  return {
    spec: {
      engine: ENGINE_VERSION,
      ...rest,
      zone: zoneOf(tier.reset_zone),
      instruments,
      calendars: [],
      group,
    },
    defaults,
  }
}
