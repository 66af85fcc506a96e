import type { Instrument } from '@assay/core/domain/instruments/instrument'
import type { Ctx } from '@assay/core/kernel/context'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Db } from '@assay/core/ports/db/port'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import type { Payments } from '@assay/core/ports/payments/port'
import type { Owners } from './access.ts'
import type { SegmentEnds } from './accounts/segment-ends.ts'
import type { Engine } from './engine/engine.ts'
import type { PublishedPreset } from './presets/preset-book.ts'
import type { TierCache } from './tiers/tier-cache.ts'

/** What the verbs of trading work with. */
export interface TradingDeps {
  /** narrowed to the schema trading */
  db: Db
  engine: Engine
  payments: Payments
  clock: Clock
  marketlog: MarketLog
  owners: Owners
  segmentEnds: SegmentEnds
  tiers: TierCache
  /** of this release, by id */
  presets: readonly PublishedPreset[]
  /** instrument documents in force: the catalogue and what market-data derived */
  instruments: () => Promise<readonly PublishedInstrument[]>
}
export interface PublishedInstrument {
  document: Instrument
  hash: string
}
/** As one caller may use them: access.ts makes them for each request. */
export interface CallerDeps extends TradingDeps {
  /** the tenant whose rows `db` shows; null: every tenant's, the house's */
  readonly rowsOf: string | null
}
/** What every verb is called with. */
export interface Verb<Input> {
  ctx: Ctx
  input: Input
  deps: CallerDeps
}
