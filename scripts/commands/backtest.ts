import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { AssayError } from '@assay/core/contracts/errors'
import { STRATEGIES } from '@assay/core/domain/strategies/strategy'
import { RecordingError } from '@assay/services/market-data/recording/row'
import type { BacktestResult } from '@assay/services/trading/backtest/result'
import { runBacktest } from '../backtest/run-backtest.ts'
import { progressBar } from '../terminal/progress-bar.ts'

export const summary =
  '--recording FILE --tier TIER.json [--orders FILE.jsonl | --strategy NAME] [--events FILE.jsonl] [--symbol S] [--columns …] [--zone Z] [--candle-time open|close] [--quality basic] [--out DIR] [--json]'

class UsageError extends Error {}

export async function run(argv: string[]): Promise<number> {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        recording: { type: 'string' },
        tier: { type: 'string' },
        orders: { type: 'string' },
        strategy: { type: 'string' },
        events: { type: 'string' },
        symbol: { type: 'string' },
        columns: { type: 'string' },
        zone: { type: 'string' },
        'candle-time': { type: 'string' },
        quality: { type: 'string' },
        out: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    const { recording, tier, orders, strategy, events } = values
    if (!recording) throw new UsageError('--recording FILE is missing')
    if (!tier) throw new UsageError('--tier TIER.json is missing')
    if (orders && strategy) throw new UsageError('--orders and --strategy exclude each other')
    if (strategy && !Object.hasOwn(STRATEGIES, strategy))
      throw new UsageError(`--strategy ${strategy}: there are ${Object.keys(STRATEGIES).join(', ')}`)
    if (values.quality === 'full') throw new UsageError('--quality full is not supported yet')
    if (values.quality && values.quality !== 'basic') throw new UsageError('--quality is basic or full')
    const candleTime = values['candle-time']
    if (candleTime !== undefined && candleTime !== 'open' && candleTime !== 'close')
      throw new UsageError('--candle-time is open or close')
    const bar = progressBar(`replaying ${recording}`)
    const { result, notices, keys } = await runBacktest({
      recording,
      tier: parseJson(readText(tier), tier),
      ...(orders ? { orders: readText(orders), ordersName: orders } : {}),
      ...(strategy ? { strategy } : {}),
      ...(events ? { events: readText(events), eventsName: events } : {}),
      ...(values.symbol ? { symbol: values.symbol } : {}),
      ...(values.columns ? { columns: values.columns } : {}),
      ...(values.zone ? { zone: values.zone } : {}),
      ...(candleTime ? { candleTime } : {}),
      out: values.out ?? null,
      onProgress: bar.update,
    }).finally(bar.end)
    for (const notice of notices) console.error(notice)
    if (values.json) console.log(JSON.stringify(result))
    else print(result, keys)
    return 0
  } catch (error) {
    const said = complaint(error)
    if (said === null) throw error
    console.error(`assay backtest: ${said}`)
    return 2
  }
}

/** What is wrong with the input, for a person; null: not the input's fault. */
function complaint(error: unknown): string | null {
  if (error instanceof AssayError) {
    const more =
      error.options.errors
        ?.slice(1)
        .map((e) => `\n  ${e.field}: ${e.detail}`)
        .join('') ?? ''
    return `${error.options.field && !error.detail.includes(error.options.field) ? `${error.options.field}: ` : ''}${error.detail}${more}`
  }
  if (error instanceof UsageError) return `${error.message}\nusage: assay backtest ${summary}`
  if (error instanceof RecordingError) return error.message
  if (String((error as { code?: string }).code).startsWith('ERR_PARSE_ARGS'))
    return `${(error as Error).message}\nusage: assay backtest ${summary}`
  return null
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`)
  }
}
function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${(error as Error).message}`)
  }
}

const FILLS_SHOWN = 20
function print(r: BacktestResult, keys: string | null): void {
  const line = (name: string, value: unknown): void => console.log(`${name.padEnd(14)} ${value ?? '-'}`)
  line('verdict', r.verdict + (r.rule ? ` by ${r.rule}: ${r.value} against ${r.limit}` : ''))
  line('phase', r.phase)
  line('at', r.at && `${r.at}, event ${r.mseq}`)
  line('balance', r.balance)
  line('equity', r.equity)
  line('target reached', r.target_reached_at)
  line('fills', r.fills.length)
  for (const f of r.fills.slice(0, FILLS_SHOWN)) {
    console.log(
      `  ${f.at}  ${f.side.padEnd(4)} ${f.quantity} ${f.symbol} at ${f.price}  fee ${f.fee}  spread ${f.spread_cost}  by ${f.source.kind} ${f.source.mseq}`,
    )
  }
  if (r.fills.length > FILLS_SHOWN) console.log(`  and ${r.fills.length - FILLS_SHOWN} more; --json shows all`)
  line('orders', r.orders.length)
  for (const o of r.orders.slice(0, FILLS_SHOWN))
    console.log(
      `  ${o.at}  ${o.order} ${o.client_order_id ?? ''}  ${o.type} ${o.symbol}: ${o.status}, ${o.filled} filled${o.reason ? `, ${o.reason}` : ''}`,
    )
  if (r.orders.length > FILLS_SHOWN) console.log(`  and ${r.orders.length - FILLS_SHOWN} more; --json shows all`)
  for (const v of r.violations)
    console.log(
      `violation      ${v.at} ${v.rule}: ${v.value} against ${v.limit}${v.attributed ? '' : ' (also crossed)'}`,
    )
  for (const w of r.warnings)
    console.log(`warning        ${w.at} ${w.rule}: ${w.fraction} of it is used: ${w.value} against ${w.limit}`)
  for (const l of r.locks)
    console.log(`${l.rule ? 'locked  ' : 'unlocked'}       ${l.at}${l.rule ? ` by ${l.rule} until ${l.until}` : ''}`)
  for (const c of r.carry) console.log(`${c.what.padEnd(14)} ${c.at} ${c.symbol}: ${c.booked}`)
  for (const x of r.rejected) console.log(`rejected       ${x.at} ${x.client_order_id ?? ''} ${x.code}: ${x.detail}`)
  line('days', r.days.length)
  for (const d of r.days) console.log(`  ${d.day}  balance ${d.balance}  equity ${d.equity}  anchor ${d.anchor ?? '-'}`)
  line('floors', r.floors.length)
  for (const f of r.floors.slice(0, FILLS_SHOWN)) console.log(`  ${f.at}  ${f.rule} ${f.floor}`)
  if (r.synthetic.length > 0) line('synthetic', `quotes made from ${r.synthetic.join(', ')}`)
  if (r.not_simulated.length > 0) line('not simulated', r.not_simulated.join(', '))
  if (r.defaults.length > 0) line('defaults', r.defaults.join(', '))
  line('state hash', r.state_hash)
  if (r.proof) {
    line('proof', r.proof)
    line('keys', keys)
    console.log(`check it with: assay verify ${r.proof} --keys ${keys}`)
  }
}
