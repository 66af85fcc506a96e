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
import { everything, poor, type TierPlace, type TierSaid, tickets } from './chaos-tiers.ts'
import type { OrderAsked } from './order-near.ts'
import { create, keyFor, logIn } from './people.ts'
import { OPERATOR } from './platform.ts'

export type TwinCommand =
  | { op: 'start' | 'abandon' | 'cancel_all' | 'pause' | 'resume' }
  /** ticket: it reduces the first one of its symbol that stands then, of the other side */
  | ({ op: 'order'; ticket?: true } & OrderAsked)
  /** place: where the order stands in the list of commands */
  | { op: 'amend'; place: number; change: { quantity?: string; price?: string; stop_price?: string } }
  | { op: 'cancel'; place: number }
  /** the first position that stands then */
  | { op: 'close'; quantity?: string }
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
const highs = (pct: string): TierSaid => ({
  name: 'Twins',
  currency: 'ETH',
  initial_balance: '5',
  leverage: '2',
  phases: [
    {
      kind: 'evaluation',
      rules: [
        { rule: 'profit_target', pct: '40' },
        { rule: 'max_daily_loss', anchor: 'day_high', limit: { pct, of: 'initial' } },
        { rule: 'max_loss', mode: 'static', limit: { pct: '5' } },
      ],
    },
  ],
})
const PLACE: TierPlace = {
  currency: 'ETH',
  initial_balance: '5',
  symbols: ['XRP/ETH'],
  news: ['2019-10-11T06:00:00Z', '2019-10-11T13:30:00Z', '2019-10-11T19:00:00Z'],
  around: 900,
  reset: '12:00',
  swap: '21:00',
  soft: '0.4',
}
/** Of each account in its order (twin-plan.ts says what they do). */
const TIERS = [highs('1'), everything(PLACE), tickets(PLACE), poor({ ...PLACE, initial_balance: '0.5' }), highs('3')]

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
  const tiers = TIERS.map((tier, n) => [`twin-${n}`, parseTier(tier)])
  await seedTiers(deps.db.as('trading'), 'default', Object.fromEntries(tiers))
  const bearer = await keyFor(url, 'twin', await logIn(url))
  const made: string[] = []
  for (let n = 0; n < TIERS.length; n++) made.push(await create(url, bearer, `twin-${n}`, `twin-${n}`))
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
          const id = assessments[commands[next]!.account]!
          const before = await cseqOf(id)
          await give(commands[next]!, next)
          // a command that named nothing was no input: another one takes its place in the account's history
          if ((await cseqOf(id)) === before) await give({ ...commands[next]!, command: { op: 'cancel_all' } }, next)
          await noteState(next, id)
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
  const [method, path, body] = await requestOf(command, base, at)
  for (;;) {
    const answer = await send(method, path, body)
    await answer.arrayBuffer()
    if (answer.status !== 503 && answer.status !== 504 && answer.status !== 429) return
    await Bun.sleep(20)
  }
}
function send(method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(`${started.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
}

type Request = [method: string, path: string, body?: unknown]
async function requestOf(command: TwinCommand, base: string, at: number): Promise<Request> {
  const client_order_id = `c${at}`
  switch (command.op) {
    case 'order': {
      const { op, ticket, ...order } = command
      const reduced = ticket ? await firstPosition(base) : null
      const side = reduced?.quantity.startsWith('-') ? 'buy' : 'sell'
      const body = { ...order, ...(reduced ? { position: reduced.id, side } : {}), client_order_id }
      return ['POST', `${base}/orders`, body]
    }
    case 'amend':
      return ['PATCH', `${base}/orders/client:c${command.place}`, command.change]
    case 'cancel':
      return ['DELETE', `${base}/orders/client:c${command.place}`]
    case 'cancel_all':
      return ['DELETE', `${base}/orders`]
    case 'close': {
      const { quantity } = command
      const position = (await firstPosition(base))?.id ?? 'XRP-ETH'
      return ['POST', `${base}/positions/${position}/close`, { ...(quantity ? { quantity } : {}), client_order_id }]
    }
    default:
      return ['POST', `${base}/${command.op}`, {}]
  }
}
async function firstPosition(base: string): Promise<{ id: string; quantity: string } | null> {
  const { items } = (await (await send('GET', `${base}/positions`)).json()) as {
    items: { id: string; quantity: string }[]
  }
  return items[0] ?? null
}
