import fc, { type Arbitrary } from 'fast-check'
import type { Json } from './operations.ts'

/** One thing that is wrong with a request. */
export interface Breakage {
  where: 'body' | 'query' | 'path' | 'header' | 'raw'
  /** which of the places there */
  at: number
  how: 'replaced' | 'removed' | 'added'
  value: Json
}

const long = 'x'.repeat(20_000)
const deep: Json = Array.from({ length: 200 }).reduce<Json>((inner) => [inner], [])
/** What clients send by mistake and attackers on purpose. */
const WRONG: Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e21,
  -1e308,
  9007199254740992,
  '',
  ' ',
  '0',
  '-0',
  '1e3',
  'NaN',
  'Infinity',
  '१२',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\u202e',
  "'; drop table users; --",
  '../../etc/passwd',
  '%00',
  '%2e%2e%2f',
  '<script>',
  '\u007b{7*7}}',
  '{{7*7}}',
  'null',
  'undefined',
  '__proto__',
  'constructor',
  '9'.repeat(400),
  '1.'.padEnd(60, '0'),
  long,
  [],
  {},
  [[]],
  { $ne: null },
  { toString: 1 },
  ['a', 1, null],
  deep,
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '2026-02-30T00:00:00Z',
  '🙂'.repeat(50),
]
/** Bodies that are no JSON document, or one that nobody expects. */
export const RAW = [
  '',
  '{',
  '[]',
  'null',
  '"text"',
  '{"a":1}{"b":2}',
  '{"__proto__":{"role":"admin"}}',
  '\ufeff{}',
  '{"a":1,"a":2}',
  long,
]

export const breakages = (): Arbitrary<Breakage> =>
  fc.record({
    where: fc.constantFrom('body', 'body', 'body', 'query', 'query', 'path', 'header', 'raw'),
    at: fc.nat(1_000),
    how: fc.constantFrom('replaced', 'replaced', 'removed', 'added'),
    value: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...WRONG) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
    ),
  })

/** A copy of the body with the place that `at` points to broken. */
export function breakBody(body: Json, { at, how, value }: Breakage): Json {
  const copy = structuredClone(body)
  const places = placesOf(copy)
  if (places.length === 0) return value
  const { holder, key } = places[at % places.length]!
  if (how === 'added') {
    if (Array.isArray(holder)) holder.push(value)
    else
      Object.defineProperty(holder, typeof value === 'string' && value.length < 50 ? value : 'unknown_field', {
        value,
        enumerable: true,
        configurable: true,
      })
  } else if (how === 'removed') {
    if (Array.isArray(holder)) holder.splice(Number(key), 1)
    else delete holder[key]
  } else (holder as Record<string, Json>)[key] = value
  return copy
}

interface Place {
  holder: Json[] | Record<string, Json>
  key: string
}
function placesOf(value: Json): Place[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [
    { holder: value as Place['holder'], key },
    ...placesOf(inner as Json),
  ])
}
