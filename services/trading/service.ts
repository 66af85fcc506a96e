import { AssayError } from '@assay/core/contracts/errors'
import { InstrumentDocument } from '@assay/core/contracts/wire/instrument'
import type { Instrument } from '@assay/core/domain/instruments/instrument'
import { cachedBy, countCache } from '@assay/core/kernel/cached'
import type { Lifecycle } from '@assay/core/kernel/lifecycle'
import { oneAtATime } from '@assay/core/kernel/one-at-a-time'
import type { Peers } from '@assay/core/kernel/peers'
import type { Deps, Service } from '@assay/core/kernel/service'
import type { Db } from '@assay/core/ports/db/port'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { Owners } from './access.ts'
import { SegmentEnds } from './accounts/segment-ends.ts'
import { tradingApp } from './app.ts'
import { tellJournals } from './audit/tell-journals.ts'
import { assessmentChannel, followHere, ownedChannel } from './channel/assessment-channel.ts'
import { OwnerLinks } from './channel/owner-links.ts'
import { type Config, config } from './config.ts'
import { onIdentityErased } from './consumers/identity-erased.ts'
import type { TradingDeps } from './deps.ts'
import { startEngine } from './engine/engine.ts'
import { dbLeases } from './engine/leases.ts'
import { sqlStore } from './engine/sql-store.ts'
import type { EngineStore } from './engine/store.ts'
import { forgetOldKeys } from './idempotency/once.ts'
import { instrumentBook } from './instruments/instrument-book.ts'
import { loadPresets } from './presets/preset-book.ts'
import { keepProofs } from './proof/keep-proofs.ts'
import { openJournalKeys } from './proof/keys.ts'
import { engineRoutes } from './routes/engine.ts'
import { privacyRoutes } from './routes/privacy.ts'
import { TIER_CATALOGUE } from './tiers/catalogue.ts'
import { seedTiers } from './tiers/seed-tiers.ts'
import { tierCache } from './tiers/tier-cache.ts'
import { publishMarks } from './topics/publish-marks.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const TIERS_KEPT_MS = 60_000
/** How often owners look at the rows of slots where there are several, and where there is one. */
const LOOK_MS = { several: 100, alone: 1000 }

/** `storeOf` is another one in benches only. */
export const tradingWith = (storeOf: (db: Db) => EngineStore): Service<typeof config> => ({
  name: 'trading',
  config,
  async create(deps, lifecycle) {
    const { clock, log, marketlog } = deps
    const db = deps.db.as('trading')
    // the first start of several replicas makes one key, not one each
    const keys = await oneAtATime(db, 'trading.journal-keys', () =>
      openJournalKeys({ secrets: deps.secrets, clock, home: deps.home }),
    )
    await seedTiers(db, 'default', TIER_CATALOGUE)
    // the first query of a Prisma client costs many times what the next ones do: no request shall pay it
    await db.prisma.tier.findFirst({ where: { tenant: 'default' } })
    const engine = await startEngine(
      {
        store: storeOf(db),
        leases: dbLeases(db, clock, { id: deps.peers.instance, url: deps.peers.url }),
        marketlog,
        lockstep: deps.lockstep('main'),
        clock,
        keys,
        log,
        peers: deps.peers,
        marked: publishMarks(deps.bus, (err) => log.warn({ err }, 'a mark could not be published')),
      },
      lifecycle,
      {
        thread: 'worker',
        lookMs: deps.peers.url ? LOOK_MS.several : LOOK_MS.alone,
        isLive: () => !deps.config.FEEDS.startsWith('replay:'),
      },
    )
    const own: TradingDeps = {
      db,
      engine,
      payments: deps.payments,
      clock,
      marketlog,
      owners: new Owners(db),
      segmentEnds: new SegmentEnds(marketlog),
      tiers: tierCache(cachedBy(deps.cache, deps.metrics, { name: 'tiers', ttlMs: TIERS_KEPT_MS })),
      presets: loadPresets(),
      instruments: instrumentBook({
        db,
        now: () => clock.monotonic(),
        fed: () => fedInstruments(deps),
        asked: countCache(deps.metrics, 'symbols'),
      }),
    }
    lifecycle.background('trading idempotency keys', async (signal) => {
      while (!signal.aborted) {
        await forgetOldKeys(own).catch((err) => log.error({ err }, 'old idempotency keys could not be dropped'))
        await clock.sleep(HOUR, signal).catch(() => {})
      }
    })
    lifecycle.background('trading audit', async (signal) => {
      while (!signal.aborted) {
        await clock.sleep(MINUTE, signal).catch(() => {})
        await tellAll(db).catch((err) => log.error({ err }, 'journals could not be told to the audit log'))
      }
    })
    const proof = { trading: own, blobs: deps.blobs, keys }
    lifecycle.background('trading proofs', (signal) => keepProofs(proof, log, signal))
    return {
      app: new Elysia().use(tradingApp(proof)).use(engineRoutes(engine)).use(privacyRoutes(db)),
      consumers: [onIdentityErased(db)],
      handOver: () => engine.handOver(),
      channels: deps.peers.url
        ? [assessmentChannel(own, ownerLinks(own, deps.peers, lifecycle)), ownedChannel(own)]
        : [assessmentChannel(own)],
      probes: [{ name: 'engine', timeoutMs: 1000, check: async () => engine.ready() }],
    }
  },
})
async function tellAll(db: Db): Promise<void> {
  while (!(await tellJournals(db)));
}

export const trading = tradingWith(sqlStore)

/** Any replica has the channel of every account: it listens where its owner is. */
const ownerLinks = (own: TradingDeps, peers: Peers, lifecycle: Lifecycle): OwnerLinks =>
  new OwnerLinks({
    engine: own.engine,
    peers,
    clock: own.clock,
    lifecycle,
    here: (account, push) => followHere(own, account, push),
  })

const FedSymbols = z.object({ items: z.array(z.object({ instrument: InstrumentDocument })) })

/** The documents of the symbols that market-data feeds. */
async function fedInstruments(deps: Deps<Config>): Promise<Instrument[]> {
  const answer = await deps.call('market-data', new Request('http://market-data/api/market/symbols?limit=500'))
  if (!answer.ok) throw new AssayError('unavailable', `market-data answers ${answer.status}.`)
  return FedSymbols.parse(await answer.json()).items.map(({ instrument }) => instrument)
}
