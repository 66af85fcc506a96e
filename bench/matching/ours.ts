/** One account of ours over a grid: as the platform runs it, event by event without its index, and the oracle. */
import { compileSpec } from '@assay/core/domain/engine/compile'
import { Replay } from '@assay/core/domain/engine/replay'
import type { AccountState } from '@assay/core/domain/engine/state'
import type { StepResult } from '@assay/core/domain/engine/step'
import type { AccountSpec, Answer, Command, Rule } from '@assay/core/domain/engine/types'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { toNumber } from '@assay/core/domain/money/dec'
import { text } from '@assay/core/testing/oracle/number'
import { Oracle } from '@assay/core/testing/oracle/oracle'
import { instrument, spec } from '@assay/core/testing/world'
import { Book } from '../../services/trading/engine/book.ts'
import { hostedNew } from '../../services/trading/engine/hosted.ts'
import { sha256Text } from '../../services/trading/engine/seal.ts'
import { type Action, type Grid, INITIAL, MAKER_BPS, priceOf, QUANTITY, QUOTE_MS, SIZE, START, SYMBOL } from './grid.ts'
import type { Outcome, Side } from './side.ts'

const ACCOUNT = 'a'
/** Quotes until the event loop gets a turn. */
const TURN = 256
const RULES: Rule[] = [
  {
    rule: 'max_daily_loss',
    anchor: 'balance',
    limit: { pct: '50', of: 'initial' },
    metric: 'equity',
    compare: 'lt',
    tested: 'always',
    effect: 'hard',
  },
  {
    rule: 'max_loss',
    mode: 'static',
    limit: { pct: '90' },
    lock: null,
    metric: 'equity',
    compare: 'lt',
    effect: 'hard',
  },
]
const SPEC: AccountSpec = spec(RULES, {
  initial_balance: String(INITIAL),
  instruments: [instrument(SYMBOL, { price_tick: '0.00001', kind: 'fx', commission: { bps: MAKER_BPS } })],
})

/** What decides: it applies events, takes commands and says how it stands. */
interface Core {
  event(event: MarketEvent): void
  command(command: Command): Pick<Answer, 'ok'>
  end(): Omit<Outcome, 'seconds' | 'cpuSeconds'>
}

/** Through the rule index, as `assay up` runs it: an event touches an account that it can change. */
function indexed(): Core {
  const fills: string[] = []
  const names = new Map<string, string>()
  const book = new Book({ from: 1, carry: [], head: null }, (_, result) => hear(result, names, fills))
  const hosted = hostedNew(ACCOUNT, compileSpec(SPEC, sha256Text), null)
  book.host(hosted)
  return {
    event: (event) => book.feed({ events: [event], ended: [] }),
    command: (command) => book.take(hosted, { kind: 'command', command, cseq: hosted.state.cseq + 1 }).answer!,
    end: () => standing(hosted.state, fills),
  }
}
/** Every event looked at, as the verifier does it. */
function plain(): Core {
  const fills: string[] = []
  const names = new Map<string, string>()
  const replay = new Replay(undefined, (_, result) => hear(result, names, fills))
  replay.add(ACCOUNT, compileSpec(SPEC, sha256Text))
  let cseq = 0
  return {
    event: (event) => replay.event(event),
    command: (command) => replay.command(ACCOUNT, command, ++cseq).answer!,
    end: () => standing(replay.accounts.get(ACCOUNT)!.state, fills),
  }
}
function oracle(): Core {
  const fills: string[] = []
  const core = new Oracle()
  core.add(ACCOUNT, SPEC)
  const account = core.accounts.get(ACCOUNT)!
  const hearAll = (said: readonly { kind: string; order?: unknown }[]): void => {
    for (const { kind, order } of said) if (kind === 'fill') fills.push(String(order))
  }
  return {
    event: (event) => hearAll(core.event(event).get(ACCOUNT)!),
    command(command) {
      const { answer, decisions } = core.command(ACCOUNT, bareNamed(command))
      hearAll(decisions)
      return { ok: answer.ok === true }
    },
    end: () => ({
      fills,
      working: account.orders.length,
      position: Number(text(account.book.positions[0]?.quantity ?? 0n)),
      balance: Number(text(account.book.balance)),
    }),
  }
}
/** The oracle calls an order by its client's name alone. */
const bareNamed = (command: Command): Command =>
  command.op === 'cancel' ? { op: 'cancel', order: command.order.replace(/^client:/, '') } : command
function hear({ records }: StepResult, names: Map<string, string>, fills: string[]): void {
  for (const r of records) {
    if (r.kind === 'fill') fills.push(names.get(r.order)!)
    else if (r.kind === 'command' && r.command.op === 'order') names.set(`o${r.aseq}`, r.command.client_order_id!)
  }
}
function standing(state: AccountState, fills: string[]) {
  const [position] = state.book.positions
  return {
    fills,
    working: state.orders.length,
    position: position ? toNumber(position.quantity) : 0,
    balance: toNumber(state.book.balance),
  }
}

const commandOf = (action: Action): Command =>
  action.op === 'cancel'
    ? { op: 'cancel', order: `client:${action.order}` }
    : {
        op: 'order',
        symbol: SYMBOL,
        side: action.side,
        type: 'limit',
        quantity: String(QUANTITY),
        price: priceOf(action.tick),
        client_order_id: action.order,
      }
/** Events as the market log holds them: prices and sizes are texts that the engine has to read. */
function eventsOf(grid: Grid): MarketEvent[] {
  const events = made.get(grid) ?? madeOf(grid)
  made.set(grid, events)
  return events
}
const made = new WeakMap<Grid, MarketEvent[]>()
function madeOf(grid: Grid): MarketEvent[] {
  return grid.bids.map((bid, at) => ({
    kind: 'quote',
    symbol: SYMBOL,
    venue: 'bench',
    ts: START + at * QUOTE_MS,
    pos: at + 1,
    mseq: at + 1,
    mts: START + at * QUOTE_MS,
    bid: priceOf(bid),
    ask: priceOf(grid.asks[at]!),
    bid_size: String(SIZE),
    ask_size: String(SIZE),
  }))
}

async function drive(core: Core, grid: Grid): Promise<Outcome> {
  const events = eventsOf(grid)
  const commands = new Map([...grid.actions].map(([at, actions]) => [at, actions.map(commandOf)] as const))
  const obey = (command: Command): void => {
    if (!core.command(command).ok) throw new Error(`refused: ${JSON.stringify(command)}`)
  }
  core.event(events[0]!)
  for (const command of [{ op: 'create' }, { op: 'start' }, ...commands.get(0)!] as Command[]) obey(command)
  const cpu = process.cpuUsage()
  const from = performance.now()
  for (let at = 1; at < events.length; at++) {
    core.event(events[at]!)
    for (const command of commands.get(at) ?? []) obey(command)
    if (at % TURN === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const seconds = (performance.now() - from) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { seconds, cpuSeconds: (user + system) / 1e6, ...core.end() }
}
const side = (name: string, core: () => Core): Side => ({ name, roundsBy: 0, run: (grid) => drive(core(), grid) })

export const indexedEngine = side('ours', indexed)
export const plainEngine = side('our engine without its index', plain)
export const oracleEngine = side('the oracle: our second implementation, without any index', oracle)
