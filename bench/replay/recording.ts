import { gunzipSync } from 'node:zlib'

export const SYMBOL = 'XRP/ETH'
export const PRICE_PLACES = 8
export const SIZE_PLACES = 1
export const FEE_BPS = '4'
export const INITIAL = '1000'
/** less than any print: each order finds depth that ours has not taken before */
export const QUANTITY = '0.1'
/** Trades between two orders, counted from the first at which both sides have been printed. */
export const EVERY = 12

type Row = [ms: number, id: string, type: unknown, side: 'buy' | 'sell', price: number, size: number, cost: number]
export interface Plan {
  file: string
  trades: number
  /** trades before both sides have been printed: until then there is nothing to trade against */
  before: number
  orders: number
  /** when each order must be filled, ms */
  instants: number[]
}
/** What any replay of the file must come to, read from it by itself. */
export function planOf(file: string, bytes: Uint8Array<ArrayBuffer>, orders: number): Plan {
  const rows = JSON.parse(new TextDecoder().decode(gunzipSync(bytes))) as Row[]
  const before = rows.findIndex(([, , , side]) => side !== rows[0]![3])
  const instants: number[] = []
  for (let at = before + EVERY - 1; at < rows.length && instants.length < orders; at += EVERY)
    instants.push(rows[at]![0])
  if (instants.length < orders) throw new Error(`${file} is too short for ${orders} orders`)
  return { file, trades: rows.length, before, orders, instants }
}
