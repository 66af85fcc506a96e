import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import type { AccountResource, RuleList, TradeResource } from '@assay/core/contracts/wire/account'
import type { AssessmentResource } from '@assay/core/contracts/wire/assessment'
import type { PurchaseResource, TierResource } from '@assay/core/contracts/wire/purchase'
import { MarketView } from '@assay/core/domain/engine/view'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { STRATEGIES } from '@assay/core/domain/strategies/strategy'
import { environment } from '@assay/core/kernel/config'
import { startPlatform } from '@assay/core/kernel/run'
import { services } from '@assay/services/all'
import { RecordingError } from '@assay/services/market-data/recording/row'
import { scanRecording } from '@assay/services/market-data/recording/scan-recording'
import { ENDED } from '@assay/services/market-data/replay/replay-events'
import { chooseInstrument } from '../demo/choose-instrument.ts'
import { type Client, client, Refused } from '../demo/client.ts'
import { driverService } from '../demo/in-process.ts'
import { screen } from '../demo/screen.ts'
import { Trader } from '../demo/trader.ts'
import { parseOptions, UsageError } from '../options.ts'
import { progressBar } from '../terminal/progress-bar.ts'

export const summary =
  '[--replay FILE] [--symbol S] [--currency C] [--columns …] [--zone Z] [--candle-time open|close] [--fail]: the tour, from sign-up to a verified verdict'

interface Options {
  replay?: string
  symbol?: string
  currency?: string
  columns?: string
  zone?: string
  candleTime?: 'open' | 'close'
  fail: boolean
}
/** A simulated market in which the tour ends in a verdict, in market time of its own. */
const SIM = { feed: 'sim?speed=lockstep&tick=5000&volatility=2', seed: 'tour', symbol: 'SOL/USD' }

export async function run(argv: string[]): Promise<number> {
  try {
    return await tour(readOptions(argv))
  } catch (error) {
    if (error instanceof RecordingError) {
      console.error(`assay demo: ${error.message}`)
      return 2
    }
    if (error instanceof Refused) {
      console.error(`assay demo: the platform answered ${error.message}`)
      return 1
    }
    throw error
  }
}

function readOptions(argv: string[]): Options {
  const { values, positionals } = parseOptions(argv, {
    replay: { type: 'string' },
    symbol: { type: 'string' },
    currency: { type: 'string' },
    columns: { type: 'string' },
    zone: { type: 'string' },
    'candle-time': { type: 'string' },
    fail: { type: 'boolean', default: false },
  })
  if (positionals.length > 0) throw new UsageError(`what is ${positionals[0]}? A recording is given with --replay`)
  const { 'candle-time': candleTime, ...rest } = values
  if (candleTime !== undefined && candleTime !== 'open' && candleTime !== 'close')
    throw new UsageError(`--candle-time ${candleTime}: open or close`)
  return { ...rest, ...(candleTime && { candleTime }) }
}

interface Market {
  symbol: string
  feed: string
}
async function marketOf(options: Options): Promise<Market> {
  if (!options.replay) return { symbol: options.symbol ?? SIM.symbol, feed: SIM.feed }
  const file = isAbsolute(options.replay) ? options.replay : resolve(options.replay)
  const bar = progressBar(`reading ${options.replay}`)
  const scan = await scanRecording(
    {
      file,
      ...(options.symbol ? { symbol: options.symbol } : {}),
      ...(options.columns ? { columns: options.columns } : {}),
      ...(options.zone ? { zone: options.zone } : {}),
      ...(options.candleTime ? { candleTime: options.candleTime } : {}),
    },
    bar.update,
  ).finally(bar.end)
  for (const notice of scan.notices) console.log(`  ${notice}`)
  if (scan.corrupt.count > 0) {
    console.log(`  ${scan.corrupt.count} lines cannot be read and are left out:`)
    for (const line of scan.corrupt.first) console.log(`    line ${line.line}: ${line.reason}`)
  }
  if (scan.symbols.length > 1)
    throw new UsageError(
      `${options.replay} has ${scan.symbols.map((s) => s.symbol).join(', ')}: choose one with --symbol`,
    )
  const [{ symbol, rows, priceTick, quantityStep }] = scan.symbols as [(typeof scan.symbols)[0]]
  console.log(
    `  ${rows} ${scan.kind}s of ${symbol}, ${new Date(scan.firstTs).toISOString()} to ${new Date(scan.lastTs).toISOString()}; tick ${priceTick}, step ${quantityStep ?? 'not recorded'}`,
  )
  const said = new URLSearchParams({ speed: 'lockstep', symbol })
  for (const [name, value] of [
    ['columns', options.columns],
    ['zone', options.zone],
    ['candle-time', options.candleTime],
  ] as const)
    if (value) said.set(name, value)
  return { symbol, feed: `replay:${file}?${said}` }
}

async function tour(options: Options): Promise<number> {
  const market = await marketOf(options)
  const home = resolve(
    environment().ASSAY_HOME ?? './.assay',
    `demo-${new Date().toISOString().replace(/[-:.]/g, '').slice(0, 15)}-${randomBytes(2).toString('hex')}`,
  )
  let starting: ReturnType<typeof startPlatform> | undefined
  const interrupt = endOnInterrupt(async () => {
    await (await starting?.catch(() => null))?.close()
    rmSync(home, { recursive: true, force: true })
  })
  mkdirSync(home, { recursive: true })
  const operator = { email: 'operator@assay.example', password: randomBytes(18).toString('base64url') }
  const driver = driverService()
  console.log(`starting an instance of its own in ${home}`)
  starting = startPlatform({
    services: [...services, driver.service],
    port: 0,
    out: { write: () => {} },
    env: {
      ASSAY_HOME: home,
      FEEDS: market.feed,
      SIM_SEED: SIM.seed,
      LOG_FORMAT: 'json',
      ASSAY_OPERATOR_EMAIL: operator.email,
      ASSAY_OPERATOR_PASSWORD: operator.password,
    },
  })
  let started: Awaited<NonNullable<typeof starting>> | undefined
  try {
    started = await starting
    const api = client(started.url)
    const trade = await lead(options, market, api, operator, driver.deps)
    const proof = join(home, 'assessment.proof')
    await saveProof(trade.api, trade.id, proof)
    const keys = join(home, 'journal-keys.json')
    const assessment = await trade.api.get<AssessmentResource>(`/api/assessments/${trade.id}`)
    await started.close()
    const verified = await verifyElsewhere(proof, keys)
    const verdict = assessment.status === 'started' ? 'open' : assessment.status
    return farewell({
      verdict,
      proof,
      keys,
      verified,
      asked: options.fail ? 'failed' : options.replay ? null : 'passed',
    })
  } finally {
    await interrupt.over()
    await started?.close()
    forget(home)
  }
}

/** Ctrl-C or SIGTERM leaves nothing behind; a second one does not wait. `over`: from now on they do nothing; never resolves once one has come. */
function endOnInterrupt(end: () => Promise<void>): { over: () => Promise<void> } {
  const signals = { SIGINT: 130, SIGTERM: 143 } as const
  let ending: Promise<never> | null = null
  const heard = (signal: keyof typeof signals): void => {
    if (ending) process.exit(signals[signal])
    console.log('\nending the instance')
    ending = end().then(
      () => process.exit(signals[signal]),
      () => process.exit(1),
    )
  }
  for (const signal of Object.keys(signals)) process.on(signal, heard)
  return {
    async over() {
      await ending
      for (const signal of Object.keys(signals)) process.off(signal, heard)
    },
  }
}

async function lead(
  options: Options,
  market: Market,
  api: Client,
  operator: { email: string; password: string },
  deps: ReturnType<typeof driverService>['deps'],
) {
  const { marketlog, lockstep } = deps()
  const stop = new AbortController()
  const group = lockstep('main')
  const participant = group.join('driver', 'demo')
  participant.report(0)
  const { instrument, currency } = await chooseInstrument(api, { symbol: market.symbol, currency: options.currency })
  console.log(
    `instrument ${instrument.symbol}: tick ${instrument.price_tick}, step ${instrument.quantity_step}, fee ${instrument.commission.bps ?? instrument.commission.taker_bps ?? '0'} bps`,
  )

  const email = `trader-${randomBytes(4).toString('hex')}@assay.example`
  const password = randomBytes(12).toString('base64url')
  await api.post('/api/auth/register', { email, password })
  const { token } = await api.post<{ token: string }>('/api/auth/login', { email, password })
  const trader = api.as(token)
  console.log(`registered ${email}`)
  const tier = await api.get<TierResource>(`/api/tiers/demo-${currency.toLowerCase()}`)
  const purchase = await trader.post<PurchaseResource>('/api/purchases', { tier_id: tier.id })
  console.log(`bought the tier "${tier.document.name}" for ${purchase.amount} ${purchase.currency}: ${purchase.status}`)
  const { id } = await trader.post<AssessmentResource>('/api/assessments', { purchase_id: purchase.id })
  const key = await botKey(api, trader, operator)
  const bot = api.as(key)

  const strategy = STRATEGIES[options.fail ? 'churn' : 'buy-and-hold']!()
  console.log(`strategy ${strategy.name}: ${strategy.summary}`)
  const view = new MarketView()
  const robot = new Trader(bot, id, instrument, tier.document, strategy, view)
  const shown = screen()
  const show = async (): Promise<string> => {
    const account = await bot.get<AccountResource>(`/api/assessments/${id}/account`)
    if (account.status === 'started')
      shown.draw(account, (await bot.get<RuleList>(`/api/assessments/${id}/rules`)).items)
    else shown.draw(account, [])
    return account.status
  }
  let begun = false
  let status = 'started'
  events: for await (const batch of marketlog.read('main', 1, stop.signal)) {
    for (const event of batch) {
      await group.applied(event.mseq)
      view.apply(event)
      if (!begun) {
        await trader.post(`/api/assessments/${id}/start`)
        begun = true
      }
      const traded = 'symbol' in event && (await robot.look(event.symbol))
      if (shown.due(event.mts)) status = await show()
      else if (traded) status = (await bot.get<AccountResource>(`/api/assessments/${id}/account`)).status
      if (status !== 'started' || robot.ended !== null || isEnd(event)) break events
      participant.report(event.mseq)
    }
  }
  await show()
  participant.leave()
  stop.abort()
  await printFills(bot, id)
  return { id, api: bot }
}

/** The last that a recording says: its symbols are not quoted any more. */
const isEnd = (event: MarketEvent): boolean => event.kind === 'symbol_state' && event.reason === ENDED

/** A key for the bot, from an operator: it may send more than a person at a screen. */
async function botKey(api: Client, trader: Client, operator: { email: string; password: string }): Promise<string> {
  const { token } = await api.post<{ token: string }>('/api/auth/login', operator)
  const me = await trader.get<{ user: { id: string } }>('/api/auth/check')
  const limits = { orders_per_second: 10_000, requests_per_minute: 600_000 }
  const { key } = await api
    .as(token)
    .post<{ key: string }>('/api/api-keys', { name: 'demo bot', user_id: me.user.id, limits })
  return key
}

const SHOWN = 12
async function printFills(api: Client, id: string): Promise<void> {
  const { items } = await api.get<{ items: TradeResource[] }>(`/api/assessments/${id}/trades?limit=500`)
  console.log(`fills (${items.length}${items.length > SHOWN ? `, the last ${SHOWN}` : ''}):`)
  const sorted = [...items].sort((a, b) => a.aseq - b.aseq)
  for (const t of sorted.slice(-SHOWN)) {
    console.log(
      `  ${t.at}  ${t.side.padEnd(4)} ${t.quantity} ${t.symbol} at ${t.price}  fee ${(t.fee?.booked ?? '0').replace('-', '')}  spread ${t.spread_cost}  by ${t.source.kind} ${t.source.mseq}`,
    )
  }
}

const PROOF_WAIT_MS = 60_000
/** The proof, once the segment of the log that holds the verdict has ended. */
async function saveProof(api: Client, id: string, path: string): Promise<void> {
  const until = performance.now() + PROOF_WAIT_MS
  for (;;) {
    const response = await api.raw(`/api/assessments/${id}/proof`)
    if (response.status === 200) {
      await Bun.write(path, await response.arrayBuffer())
      return
    }
    const text = await response.text()
    if (response.status !== 202 || performance.now() > until)
      throw new Error(`no proof: ${response.status} ${text.slice(0, 200)}`)
    await Bun.sleep(200)
  }
}

async function verifyElsewhere(proof: string, keys: string): Promise<number> {
  const cli = new URL('../cli.ts', import.meta.url).pathname
  const child = Bun.spawn([process.execPath, cli, 'verify', proof, '--keys', keys], {
    stdout: 'inherit',
    stderr: 'inherit',
  })
  return await child.exited
}

/** The instance has ended: its proof and the public keys stay, the rest goes. */
function forget(home: string): void {
  const kept = existsSync(join(home, 'assessment.proof')) ? ['assessment.proof', 'journal-keys.json'] : []
  for (const name of readdirSync(home))
    if (!kept.includes(name)) rmSync(join(home, name), { recursive: true, force: true })
  if (kept.length === 0) rmdirSync(home)
}

function farewell(r: { verdict: string; proof: string; keys: string; verified: number; asked: string | null }): number {
  console.log(
    'where to look next: ./assay up (the platform), ./assay explain PROOF (why), docs/proof-format.md (how to check it yourself)',
  )
  console.log(`verdict: ${r.verdict}`)
  console.log(`proof: ${r.proof}`)
  console.log(`keys: ${r.keys}`)
  console.log(`verify: exit ${r.verified}`)
  return r.verified === 0 && (r.asked === null || r.asked === r.verdict) ? 0 : 1
}
