import { statSync } from 'node:fs'
import { textOf } from './bytes.ts'
import { type Columns, guessColumns } from './columns.ts'
import { type LocalTime, parseTime, parseZone } from './parse-time.ts'
import { readCsv } from './read-csv.ts'
import { readJsonArray, readJsonLines } from './read-json.ts'
import { readParquet } from './read-parquet.ts'
import { RecordingError, type Row, type RowBatch } from './row.ts'
import { symbolFrom, symbolInName } from './symbol-name.ts'

export type Format = 'csv' | 'json' | 'jsonl' | 'parquet'
/** What a person says of a recording that the file does not. */
export interface RecordingOptions {
  file: string
  symbol?: string
  /** see `columns.ts` */
  columns?: string
  zone?: string
  candleTime?: 'open' | 'close'
}
/** A recording whose layout is known: how to read it, and what was assumed. */
export interface Recording {
  file: string
  bytes: number
  format: Format
  columns: Columns
  zone: LocalTime
  candleTime: 'open' | 'close'
  /** the symbol of every line; null: a column says it */
  symbol: string | null
  /** lines of other symbols are left out */
  only: string | null
  /** what was not stated and is assumed, for people */
  notices: string[]
}

async function formatOf(file: string): Promise<Format> {
  const name = file.toLowerCase().replace(/\.gz$/, '')
  if (name.endsWith('.parquet')) return 'parquet'
  let head = ''
  for await (const chunk of textOf(file)) {
    head = (head + chunk).replace(/^\uFEFF/, '').trimStart()
    if (head.length > 0) break
  }
  if (head === '') throw new RecordingError(`${file} is empty`)
  if (head.startsWith('PAR1')) return 'parquet'
  if (/^\[\s*[[{]/.test(head)) return 'json'
  return head[0] === '{' || head[0] === '[' ? 'jsonl' : 'csv'
}

export interface ReadHooks {
  onBytes?: (bytes: number) => void
  onTorn?: (reason: string) => void
}
/** The rows of a file, in batches, whatever its format. */
export function rowsOf(file: string, format: Format, { onBytes, onTorn }: ReadHooks = {}): AsyncGenerator<RowBatch> {
  if (format === 'parquet') return readParquet(file, onBytes)
  const text = textOf(file, onBytes, onTorn)
  if (format === 'csv') return readCsv(text)
  return format === 'json' ? readJsonArray(text) : readJsonLines(text)
}

/** Up to 50 rows that have cells, to guess from. */
async function sampleOf(file: string, format: Format): Promise<{ header: string[] | null; rows: Row[] }> {
  const rows: Row[] = []
  let header: string[] | null = null
  for await (const batch of rowsOf(file, format)) {
    header = batch.header
    rows.push(...batch.rows.filter((row) => row.cells !== null).slice(0, 50 - rows.length))
    if (rows.length >= 50) break
  }
  return { header, rows }
}

/** The first reading of the layout that some row bears out. */
function columnsOf(header: string[] | null, rows: readonly Row[], said: string | undefined): Columns {
  let refusal: unknown
  for (const row of rows) {
    try {
      return guessColumns(header, row.cells!, said)
    } catch (error) {
      refusal ??= error
    }
  }
  throw refusal ?? new RecordingError('there is no line that can be read')
}

/** Finds out how a recording is to be read. RecordingError names the option that is missing. */
export async function openRecording(options: RecordingOptions): Promise<Recording> {
  const { file } = options
  const stat = statSync(file, { throwIfNoEntry: false })
  if (!stat) throw new RecordingError(`${file}: no such file`)
  if (!stat.isFile()) throw new RecordingError(`${file}: not a file`)
  const format = await formatOf(file)
  const { header, rows } = await sampleOf(file, format)
  const columns = columnsOf(header, rows, options.columns)
  const notices = [`read as ${columns.known}`]

  const said = options.symbol === undefined ? null : symbolFrom(options.symbol)
  if (options.symbol !== undefined && said === null)
    throw new RecordingError(`--symbol ${options.symbol} is not a pair like BTC/USD`, 'symbol')
  let symbol: string | null = null
  if (columns.at.symbol === undefined) {
    const named = said ? { symbol: said } : symbolInName(file)
    if (!named) throw new RecordingError('neither a column nor the file name says the symbol: say --symbol', 'symbol')
    if ('assumed' in named && named.assumed) notices.push(named.assumed)
    symbol = named.symbol
  }

  const timeOf = (row: Row) =>
    parseTime(
      columns.at.date === undefined
        ? (row.cells![columns.at.time!] ?? '')
        : `${row.cells![columns.at.date]} ${row.cells![columns.at.time!]}`,
    )
  const local = rows.some((row) => timeOf(row)?.zoned === false)
  const zone = parseZone(options.zone ?? columns.zone ?? 'UTC')
  if (zone === null)
    throw new RecordingError(`--zone ${options.zone} is neither an offset like UTC-5 nor a known zone`, 'zone')
  if (local && options.zone === undefined)
    notices.push(`its times state no zone: taking ${columns.zone ?? 'UTC'} (--zone)`)
  if (columns.kind === 'candles' && options.candleTime === undefined)
    notices.push('its times are taken as the start of each candle (--candle-time open|close)')

  return {
    file,
    bytes: stat.size,
    format,
    columns,
    zone,
    candleTime: options.candleTime ?? 'open',
    symbol,
    only: symbol === null ? said : null,
    notices,
  }
}
