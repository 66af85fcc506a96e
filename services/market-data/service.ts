import type { Service } from '@assay/core/kernel/service'
import { Elysia } from 'elysia'
import { Gauge } from 'prom-client'
import { candlesChannel } from './channels/candles.ts'
import { ticksChannel } from './channels/ticks.ts'
import { config } from './config.ts'
import { openFeed } from './feeds/open-feed.ts'
import { followMarket } from './products/follow.ts'
import { Market } from './products/market.ts'
import { createQuarantine } from './quality/quarantine.ts'
import { marketRoutes } from './routes/market.ts'
import { keepLeading } from './sequencer/lead.ts'
import { isLed } from './sequencer/lease.ts'
import { writeTopics } from './topics/write-topics.ts'
import { createUpkeep } from './upkeep/upkeep.ts'

/** The one market group of a process. */
const GROUP = 'main'

export const marketData: Service<typeof config> = {
  name: 'market-data',
  config,
  async create(deps, lifecycle) {
    const { marketlog, clock, log, metrics, bus } = deps
    const quarantine = createQuarantine(bus, metrics, (err) => log.warn({ err }, 'quarantine could not be published'))
    const feed = await openFeed(deps, GROUP, quarantine)
    const market = new Market(feed.symbols, () => clock.monotonic())
    const upkeep = createUpkeep(deps, GROUP, deps.config.MARKET_LOG_MAX_BYTES)
    const db = deps.db.as('market_data')
    let level = false
    let leading = false
    new Gauge({
      name: 'market_log_mseq',
      help: 'Last event applied to the products.',
      registers: [metrics],
      collect() {
        this.set(market.view.mseq)
      },
    })

    return {
      app: new Elysia({ name: 'market-data' }).use(marketRoutes(market)),
      channels: [ticksChannel(market), candlesChannel(market)],
      probes: [
        {
          name: 'market-log',
          timeoutMs: 1000,
          check: async () => (feed.stopped() ? 'the disk is full' : level ? undefined : 'the market log is being read'),
        },
        {
          name: 'sequencer',
          timeoutMs: 1000,
          check: async () => (leading || (await isLed(db, GROUP)) ? undefined : 'no leader yet'),
        },
      ],
      health: () => ({
        stores: {
          quarantine: { kept: quarantine.recent().length, newest: quarantine.recent().at(-1)?.reason ?? null },
          market_log: {
            group: GROUP,
            mseq: market.view.mseq,
            mts: market.view.mts,
            disk: marketlog.disk(),
            bytes: upkeep.retained?.bytes ?? null,
            first: upkeep.retained?.first ?? null,
          },
        },
        degraded: [
          ...(marketlog.disk() === 'ok' ? [] : ['the disk is full: the reserve was given up']),
          ...(upkeep.droppedForSize > 0
            ? [`market log: ${upkeep.droppedForSize} files dropped for MARKET_LOG_MAX_BYTES`]
            : []),
        ],
      }),
      async start() {
        const holder = crypto.randomUUID()
        const lead = {
          db,
          marketlog,
          clock,
          log,
          group: GROUP,
          holder,
          repeats: feed.repeats,
        }
        const run = async (epoch: number, signal: AbortSignal) => {
          leading = true
          await feed.run(epoch, signal).finally(() => {
            leading = feed.repeats && !signal.aborted
          })
        }
        lifecycle.background(
          'market products',
          (signal) =>
            followMarket(market, marketlog, GROUP, signal, () => {
              level = true
            }),
          { fatal: true },
        )
        const topics = { ...lead, market, bus, also: (signal: AbortSignal) => upkeep.run(signal) }
        lifecycle.background('market topics', (signal) => writeTopics(topics, signal))
        lifecycle.background('market leader', (signal) => keepLeading({ ...lead, run }, signal), { fatal: true })
      },
    }
  },
}
