import pg from 'pg'
import type { Param } from './port.ts'

type Parser = (text: string) => unknown
const OID = pg.types.builtins
const textArray = pg.types.getTypeParser(1009 as number) as Parser
const numberArray = (text: string) =>
  (textArray(text) as (string | null)[]).map((item) => (item === null ? null : Number(item)))

const PARSERS: Record<number, Parser> = {
  [OID.BOOL]: (text) => text === 't',
  [OID.INT2]: Number,
  [OID.INT4]: Number,
  [OID.OID]: Number,
  [OID.FLOAT4]: Number,
  [OID.FLOAT8]: Number,
  [OID.JSON]: (text) => JSON.parse(text),
  [OID.JSONB]: (text) => JSON.parse(text),
  [OID.TIMESTAMPTZ]: (text) => new Date(text),
  [OID.BYTEA]: (text) => Uint8Array.from(Buffer.from(text.slice(2), 'hex')),
  1000: (text) => (textArray(text) as (string | null)[]).map((item) => (item === null ? null : item === 't')),
  1005: numberArray,
  1007: numberArray,
  1009: textArray,
  1015: textArray,
  1016: textArray,
  1231: textArray,
  2951: textArray,
}
const asText: Parser = (text) => text

/** Text of a column of this type -> value. What is not listed stays text: numeric and int8 never lose a digit. */
export const parserOf = (oid: number): Parser => PARSERS[oid] ?? asText

/** A parameter as the server reads it; bytes go in binary form. */
export function encodeParam(param: Param): string | Buffer | null {
  if (param === null || typeof param === 'string') return param
  if (param instanceof Date) return param.toISOString()
  if (param instanceof Uint8Array) return Buffer.from(param.buffer, param.byteOffset, param.byteLength)
  if (typeof param === 'object') return arrayLiteral(param)
  return String(param)
}

const NEEDS_QUOTES = /[{}",\\\s]/
function arrayLiteral(items: readonly (string | number | boolean | null | bigint)[]): string {
  let text = '{'
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!
    if (i > 0) text += ','
    text += typeof item === 'string' ? element(item) : item === null ? 'NULL' : String(item)
  }
  return `${text}}`
}
function element(item: string): string {
  if (item !== '' && item.length !== 4 && !NEEDS_QUOTES.test(item)) return item
  // also every word of four letters: one of them is NULL
  return `"${item.includes('"') || item.includes('\\') ? item.replace(/["\\]/g, '\\$&') : item}"`
}
