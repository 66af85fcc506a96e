import { parseTime } from './parse-time.ts'
import { RecordingError } from './row.ts'

export type RecordingKind = 'quotes' | 'trades' | 'candles'
export const FIELDS = [
  'time',
  'date',
  'symbol',
  'id',
  'bid',
  'ask',
  'bid_size',
  'ask_size',
  'price',
  'size',
  'side',
  'maker',
  'open',
  'high',
  'low',
  'close',
  'volume',
] as const
export type Field = (typeof FIELDS)[number]

/** Which cell holds what. */
export interface Columns {
  kind: RecordingKind
  /** index of the cell of each field that is there; `date` only beside `time`: both together are the time */
  at: Partial<Record<Field, number>>
  /** what was recognised, for people */
  known: string
  /** zone of this export's local times, where it is usual */
  zone?: string
  /** empty bid or ask means unchanged */
  sparse?: boolean
}

/** Names of a field, best first; without case, blanks and punctuation. */
const NAMES: Record<Field, string[]> = {
  time: [
    'timestamp',
    'timestampms',
    'time',
    'ts',
    'opentime',
    'datetime',
    'tmsc',
    'timemsc',
    'transacttime',
    'gmttime',
    'localtime',
    'unix',
    'tradetime',
    'eventtime',
    'date',
  ],
  date: ['date'],
  symbol: ['symbol', 'pair', 'instrument', 'market', 'ticker'],
  id: ['id', 'tradeid', 'aggtradeid', 'aggregatetradeid', 'seq', 'sequence'],
  bid: ['bid', 'bidprice', 'bestbid', 'bestbidprice'],
  ask: ['ask', 'askprice', 'offer', 'bestask', 'bestaskprice'],
  bid_size: ['bidsize', 'bidvolume', 'bidqty', 'bidamount', 'bestbidqty', 'bestbidsize'],
  ask_size: ['asksize', 'askvolume', 'askqty', 'askamount', 'bestaskqty', 'bestasksize'],
  price: ['price', 'tradeprice', 'rate', 'last'],
  size: ['size', 'qty', 'quantity', 'amount', 'tradesize', 'volume', 'vol'],
  side: ['side', 'takerside', 'direction', 'aggressor', 'type'],
  maker: ['isbuyermaker', 'buyermaker', 'isbuyermaket'],
  open: ['open', 'openprice', 'o'],
  high: ['high', 'highprice', 'h'],
  low: ['low', 'lowprice', 'l'],
  close: ['close', 'closeprice', 'c'],
  volume: ['volume', 'vol', 'v', 'tickvol', 'amount'],
}
/** Venue messages with one-letter members, told apart by their case. */
const LETTERS: { keys: string[]; at: Partial<Record<Field, string>>; known: string }[] = [
  {
    keys: ['s', 'p', 'q', 'T', 'm'],
    at: { time: 'T', symbol: 's', id: 't', price: 'p', size: 'q', maker: 'm' },
    known: 'Binance trade messages',
  },
  {
    keys: ['s', 'b', 'B', 'a', 'A', 'T'],
    at: { time: 'T', symbol: 's', bid: 'b', bid_size: 'B', ask: 'a', ask_size: 'A' },
    known: 'Binance book ticker messages',
  },
]

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '')
const NEEDED: Record<RecordingKind, Field[]> = {
  quotes: ['bid', 'ask'],
  candles: ['open', 'high', 'low', 'close'],
  trades: ['price', 'size'],
}

function kindOf(at: Columns['at']): RecordingKind | null {
  if (at.time === undefined) return null
  for (const kind of ['trades', 'quotes', 'candles'] as const) {
    if (!NEEDED[kind].every((field) => at[field] !== undefined)) continue
    if (kind === 'trades' && at.side === undefined && at.maker === undefined) continue
    return kind
  }
  return null
}

/** `--columns`: names of fields by position (`time,bid,ask,-`), or `field=column` with a header's name or a number from 1. */
function parseColumns(said: string, header: readonly string[] | null): Columns {
  const at: Columns['at'] = {}
  for (const [i, part] of said.split(',').entries()) {
    const [name, column] = part.split('=').map((s) => s.trim()) as [string, string?]
    if (name === '-' || name === '') continue
    if (!FIELDS.includes(name as Field))
      throw new RecordingError(`--columns: ${name} is none of ${FIELDS.join(', ')}`, 'columns')
    if (column === undefined) {
      at[name as Field] = i
      continue
    }
    const index = header?.indexOf(column) ?? -1
    if (index < 0 && !/^[1-9]\d*$/.test(column))
      throw new RecordingError(`--columns: the recording has no column ${column}`, 'columns')
    at[name as Field] = index >= 0 ? index : Number(column) - 1
  }
  const kind = kindOf(at)
  if (!kind)
    throw new RecordingError(
      '--columns must name time and either bid and ask, or price, size and side (or maker), or open, high, low and close',
      'columns',
    )
  return { kind, at, known: '--columns' }
}

function fromHeader(header: readonly string[], sample: readonly string[]): Columns | null {
  for (const { keys, at, known } of LETTERS) {
    if (!keys.every((key) => header.includes(key))) continue
    const found: Columns['at'] = {}
    for (const [field, key] of Object.entries(at)) if (header.includes(key)) found[field as Field] = header.indexOf(key)
    return { kind: kindOf(found)!, at: found, known }
  }
  const names = header.map(plain)
  const at: Columns['at'] = {}
  for (const field of FIELDS) {
    const name = NAMES[field].find((n) => names.includes(n))
    if (name !== undefined) at[field] = names.indexOf(name)
  }
  // ccxt's `type` is the order type; only a column of sides is one
  if (at.side !== undefined && sideOf(sample[at.side] ?? '') === null) at.side = undefined
  const metatrader = header[0] === '<DATE>'
  if (at.date === at.time || parseTime(sample[at.time ?? -1] ?? '')) at.date = undefined
  const kind = kindOf(at)
  if (!kind) return null
  return {
    kind,
    at,
    known: metatrader ? 'MetaTrader export' : `a ${kind} header`,
    sparse: metatrader && kind === 'quotes',
  }
}

/** Exports without a header, by the number and shape of their cells. */
function fromShape(cells: readonly string[]): Columns | null {
  const histdata = /^\d{8} \d{6}(\d{3})?$/.test(cells[0] ?? '')
  const time = (i: number) => /^\d{12,19}$/.test(cells[i] ?? '')
  const flag = (i: number) => /^(true|false)$/i.test(cells[i] ?? '')
  if (histdata && (cells.length === 4 || cells.length === 3))
    return { kind: 'quotes', at: { time: 0, bid: 1, ask: 2 }, known: 'HistData quotes', zone: 'UTC-5' }
  if (histdata && cells.length === 6)
    return {
      kind: 'candles',
      at: { time: 0, open: 1, high: 2, low: 3, close: 4, volume: 5 },
      known: 'HistData candles',
      zone: 'UTC-5',
    }
  if (cells.length === 7 && time(0) && sideOf(cells[3]!))
    return { kind: 'trades', at: { time: 0, id: 1, side: 3, price: 4, size: 5 }, known: 'ccxt trades' }
  if ((cells.length === 6 || cells.length === 7) && time(4) && flag(5))
    return { kind: 'trades', at: { time: 4, id: 0, price: 1, size: 2, maker: 5 }, known: 'Binance trades' }
  if ((cells.length === 7 || cells.length === 8) && time(5) && flag(6))
    return { kind: 'trades', at: { time: 5, id: 0, price: 1, size: 2, maker: 6 }, known: 'Binance aggregate trades' }
  if ((cells.length === 11 || cells.length === 12) && time(0) && time(6))
    return { kind: 'candles', at: { time: 0, open: 1, high: 2, low: 3, close: 4, volume: 5 }, known: 'Binance candles' }
  if (cells.length === 6 && parseTime(cells[0]!))
    return { kind: 'candles', at: { time: 0, open: 1, high: 2, low: 3, close: 4, volume: 5 }, known: 'candles' }
  return null
}

/** The taker's side as venues spell it, or null. */
export function sideOf(text: string): 'buy' | 'sell' | null {
  switch (text.trim().toLowerCase()) {
    case 'buy':
    case 'b':
    case 'bid':
      return 'buy'
    case 'sell':
    case 's':
    case 'ask':
      return 'sell'
    default:
      return null
  }
}

/** What the cells are: as `--columns` says, else by the header, else by a known export's shape. */
export function guessColumns(header: readonly string[] | null, sample: readonly string[], said?: string): Columns {
  const columns = said ? parseColumns(said, header) : header ? fromHeader(header, sample) : fromShape(sample)
  if (!columns) {
    const seen = header ? `header ${header.join(',')}` : `first row ${sample.join(',')}`
    const shown = seen.slice(0, 200).replace(/[^\x20-\x7e]/g, '?')
    throw new RecordingError(`cannot tell what the columns are (${shown}): say --columns`, 'columns')
  }
  return columns
}
