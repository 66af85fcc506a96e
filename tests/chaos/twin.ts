/**
 * One run of a command list over a recording in lockstep, on a data folder that outlives the process: killed and
 * started again it goes on where it stood. usage: bun twin.ts SETTINGS (JSON); exits 0 at the end of the recording.
 */
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseTier } from '@assay/core/contracts/wire/tier'
import { startPlatform } from '@assay/core/kernel/run'
import type { Clock } from '@assay/core/ports/clock/port'
import { systemClock } from '@assay/core/ports/clock/system'
import { services } from '@assay/services/all'
import { ENDED } from '@assay/services/market-data/replay/replay-events'
import { seedTiers } from '@assay/services/trading/tiers/seed-tiers'
import { driverService } from '../../scripts/demo/in-process.ts'
import { create, keyFor, logIn } from './people.ts'
import { OPERATOR } from './platform.ts'

export type TwinCommand =
  | { op: 'start' | 'abandon' | 'cancel_all' }
  | { op: 'order'; side: 'buy' | 'sell'; quantity: string; type: 'market' | 'limit'; price?: string }
/** Given after event `after` was applied; accounts by their place in the list of assessments. */
export interface Planned {
  after: number
  account: number
  command: TwinCommand
}
export interface TwinSettings {
  home: string
  recording: string
  symbol: string
  accounts: number
  /** in order of `after` */
  commands: string
  /** wall clock: the real one and this, ms */
  offsetMs: number
}
interface Setup {
  key: string
  assessments: string[]
}

/** Its daily floor follows the day's highest equity: what an account went through between two records decides too. */
const TIER = parseTier({
  name: 'Twins',
  currency: 'ETH',
  initial_balance: '5',
  leverage: '2',
  phases: [
    {
      kind: 'evaluation',
      rules: [
        { rule: 'profit_target', pct: '40' },
        { rule: 'max_daily_loss', anchor: 'day_high', limit: { pct: '3', of: 'initial' } },
        { rule: 'max_loss', mode: 'static', limit: { pct: '5' } },
      ],
    },
  ],
})

const settings = JSON.parse(process.argv[2]!) as TwinSettings
const commands = JSON.parse(readFileSync(settings.commands, 'utf8')) as Planned[]
const clock: Clock = { ...systemClock, now: () => systemClock.now() + settings.offsetMs }

const witness = driverService()
const started = await startPlatform({
  services: [...services, witness.service],
  port: 0,
  clock,
  env: {
    ASSAY_HOME: settings.home,
    FEEDS: `replay:${settings.recording}?speed=lockstep&symbol=${settings.symbol}`,
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'warn',
    ASSAY_OPERATOR_EMAIL: OPERATOR.email,
    ASSAY_OPERATOR_PASSWORD: OPERATOR.password,
    RATE_LIMIT_PER_MINUTE: '1000000',
  },
})
const deps = witness.deps()
const { key, assessments } = await setUp(started.url)
console.log('driving')
await drive()
await started.close()
process.exit(0)

/** Before the first event: the feed waits for its driver. */
async function setUp(url: string): Promise<Setup> {
  const file = join(settings.home, 'twin.json')
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'))
  await seedTiers(deps.db.as('trading'), 'default', { 'twin-eth': TIER })
  const bearer = await keyFor(url, 'twin', await logIn(url))
  const made: string[] = []
  for (let n = 0; n < settings.accounts; n++) made.push(await create(url, bearer, 'twin-eth', `twin-${n}`))
  writeFileSync(`${file}.new`, JSON.stringify({ key: bearer, assessments: made }))
  renameSync(`${file}.new`, file)
  return { key: bearer, assessments: made }
}

async function drive(): Promise<void> {
  const group = deps.lockstep('main')
  const participant = group.join('driver', 'twin')
  const stop = new AbortController()
  // what was taken before this process began is in the journals: create was the first
  const taken = await Promise.all(assessments.map(async (id) => (await cseqOf(id)) - 1))
  let next = commands.findIndex(({ account }) => taken[account]!-- <= 0)
  if (next < 0) next = commands.length
  const reportNext = () =>
    participant.report(next < commands.length ? commands[next]!.after - 1 : Number.MAX_SAFE_INTEGER)
  reportNext()
  for await (const batch of deps.marketlog.read('main', 1, stop.signal)) {
    for (const event of batch) {
      if (next < commands.length && commands[next]!.after === event.mseq) {
        await group.applied(event.mseq)
        for (; commands[next]?.after === event.mseq; next++) {
          await give(commands[next]!, next)
          await noteState(next, assessments[commands[next]!.account]!)
        }
        reportNext()
      }
      if (event.kind === 'symbol_state' && event.reason === ENDED) stop.abort()
    }
  }
  await isSealed()
}
/** The state after each command: what a recovery left out shows in the next one. */
async function noteState(at: number, id: string): Promise<void> {
  const [row] = await deps.db.query('select mseq, cseq, state_hash from trading.account where account = $1', [id])
  appendFileSync(join(settings.home, 'states.jsonl'), `${JSON.stringify({ at, ...row })}\n`)
}
async function cseqOf(id: string): Promise<number> {
  const [row] = await deps.db.query<{ cseq: string }>('select cseq from trading.account where account = $1', [id])
  return Number(row!.cseq)
}
/** The end of a lockstep run ends its segment, and what waits for that is written. */
async function isSealed(): Promise<void> {
  for (;;) {
    const end = await deps.marketlog.end('main')
    const [head] = await deps.marketlog.segments('main', end!.mseq, end!.mseq)
    const [waiting] = await deps.db.query(
      `select 1 from trading.account where (state->'unsealed')::text <> '[]' limit 1`,
    )
    if (head && !waiting) return
    await Bun.sleep(20)
  }
}

/** Until it is answered; refusals of the engine are answers. */
async function give({ account, command }: Planned, at: number): Promise<void> {
  const base = `/api/assessments/${assessments[account]}`
  const { op, ...order } = command
  const [method, path, body] =
    op === 'order'
      ? ['POST', `${base}/orders`, { ...order, symbol: settings.symbol, client_order_id: `c${at}` }]
      : op === 'cancel_all'
        ? ['DELETE', `${base}/orders`, undefined]
        : ['POST', `${base}/${op}`, {}]
  for (;;) {
    const answer = await fetch(`${started.url}${path}`, {
      method: method as string,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    await answer.arrayBuffer()
    if (answer.status !== 503 && answer.status !== 504 && answer.status !== 429) return
    await Bun.sleep(20)
  }
}
