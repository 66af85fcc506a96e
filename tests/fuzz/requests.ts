import fc, { type Arbitrary } from 'fast-check'
import type { Asked } from '../access/requests.ts'
import { type Breakage, breakages, breakBody, RAW } from './broken.ts'
import type { Document, Json, Operation } from './operations.ts'
import type { Pools } from './pools.ts'
import { isKnown, type Value, valuesOf } from './values.ts'

/** A request before it is known what exists. */
export interface Plan {
  operation: Operation
  /** things of the role's own, or of anybody */
  own: boolean
  pick: number
  query: Record<string, Value>
  headers: Record<string, Value>
  body: Value | undefined
  /** a request that is right, and what of it is replaced by what the schema allows */
  right: 'whole' | 'blended' | 'ignored'
  breakage: Breakage | null
}
/** As it is sent. */
export interface Sent {
  operation: Operation
  path: string[]
  query: Record<string, Json>
  headers: Record<string, string>
  /** null: none */
  body: string | null
}
/** Plans of one operation; `intact` ones have nothing broken in them. */
export function plansOf(
  operation: Operation,
  document: Document,
  now: number,
): Record<'intact' | 'any', Arbitrary<Plan>> {
  const values = (parameters: Operation['query'], freq: number) =>
    fc.record(
      Object.fromEntries(
        parameters.map(({ name, schema, required }) => {
          const value = valuesOf({ ...schema }, document, now)
          return [name, required ? value : fc.option(value, { nil: undefined as never, freq })]
        }),
      ),
    ) as Arbitrary<Record<string, Value>>
  const plan = (own: Arbitrary<boolean>, right: Arbitrary<Plan['right']>, breakage: Arbitrary<Breakage | null>) =>
    fc.record({
      right,
      operation: fc.constant(operation),
      own,
      pick: fc.nat(100_000),
      query: values(operation.query, 3),
      headers: values(operation.headers, 6),
      body: operation.body ? valuesOf(operation.body, document, now) : fc.constant(undefined),
      breakage,
    }) as Arbitrary<Plan>
  return {
    intact: plan(fc.constant(true), fc.constantFrom('whole', 'whole', 'blended'), fc.constant(null)),
    any: plan(
      fc.oneof({ weight: 2, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      fc.constantFrom('whole', 'blended', 'ignored', 'ignored'),
      fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: breakages() }),
    ),
  }
}

interface Parts {
  role: string
  pools: Pools
  /** what is right for this route now */
  right: Asked
}
/** The plan with what is known now in its places. */
export function requestOf(plan: Plan, { role, pools, right }: Parts): Sent {
  const { operation, own, pick, breakage } = plan
  const known = (value: Value): Json => {
    if (isKnown(value)) return pools.one(value.$known, { role, own, pick: value.pick }) ?? 'nothing-known'
    if (Array.isArray(value)) return value.map(known)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, known(inner)]))
  }
  const present = (values: Record<string, Value>) =>
    Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, known(value)]])),
    ) as Record<string, Json>
  const isRight = plan.right !== 'ignored'
  const { params, query, headers, body: rightBody } = isRight ? right : {}
  const generated = plan.body === undefined ? undefined : known(plan.body)
  const rightQuery = Object.fromEntries(new URLSearchParams(query ?? ''))
  const sent: Sent = {
    operation,
    path: params ? operation.pathNames.map((name) => params[name]!) : pools.path(operation, { role, own, pick }),
    query: plan.right === 'whole' ? rightQuery : { ...present(plan.query), ...rightQuery },
    headers: {
      ...(plan.right === 'whole' ? {} : textsOf(present(plan.headers))),
      ...headers,
    },
    body: null,
  }
  const body = blend(rightBody as Json | undefined, generated, plan)
  if (body === undefined) return breakage ? broken(sent, breakage) : sent
  sent.headers['content-type'] ??= operation.bodyType
  const written = breakage?.where === 'body' && typeof body !== 'string' ? breakBody(body, breakage) : body
  sent.body =
    typeof written === 'string' && rightBody === body ? written : encoded(written, sent.headers['content-type'])
  return breakage ? broken(sent, breakage) : sent
}
const textsOf = (values: Record<string, Json>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, headerText(value)]))

/** What is right, with one of its fields as the schema would allow it. */
function blend(right: Json | undefined, generated: Json | undefined, { right: how, pick }: Plan): Json | undefined {
  if (how === 'ignored' || right === undefined) return generated
  if (how === 'whole' || !isObject(right) || !isObject(generated)) return right
  const names = Object.keys(generated)
  const name = names[pick % names.length]
  return name === undefined ? right : { ...right, [name]: generated[name]! }
}
const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
/** As a form, where the route takes one. */
function encoded(body: Json, type: string): string {
  if (!type.includes('x-www-form-urlencoded') || !isObject(body)) return JSON.stringify(body)
  const text = (value: Json) => (typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value))
  return new URLSearchParams(Object.entries(body).map(([name, value]) => [name, text(value)])).toString()
}

/** What is broken beside the body. */
function broken(sent: Sent, { where, at, how, value }: Breakage): Sent {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (where === 'query') {
    const names = [...sent.operation.query.map(({ name }) => name), 'unknown']
    const name = names[at % names.length]!
    const { [name]: _removed, ...others } = sent.query
    return { ...sent, query: how === 'removed' ? others : { ...others, [name]: text.slice(0, 4_000) } }
  }
  if (where === 'path' && sent.path.length > 0)
    return { ...sent, path: sent.path.map((one, k) => (k === at % sent.path.length ? text.slice(0, 2_000) : one)) }
  if (where === 'header') {
    const names = [
      ...sent.operation.headers.map(({ name }) => name),
      'content-type',
      'accept',
      'x-request-id',
      'traceparent',
    ]
    return { ...sent, headers: { ...sent.headers, [names[at % names.length]!]: headerText(text) } }
  }
  if (where === 'raw' && sent.body !== null) return { ...sent, body: RAW[at % RAW.length]! }
  return sent
}
/** What a client library lets through in a header. */
const headerText = (value: Json): string =>
  (typeof value === 'string' ? value : JSON.stringify(value))
    .replace(/[^\x20-\x7e]/g, '?')
    .trim()
    .slice(0, 500)

export function pathOf({ operation, path, query }: Sent): string {
  let at = 0
  const filled = operation.path.replace(/\{[^}]+\}/g, () => encodeSegment(path[at++]!))
  const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString()
  return search ? `${filled}?${search}` : filled
}
/** A segment that is `.` or `..` or nothing would be another path. */
function encodeSegment(text: string): string {
  const well = text.toWellFormed()
  return /^\.{0,2}$/.test(well) ? '%20' : encodeURIComponent(well)
}

export function toCurl(sent: Sent, credential: string | null): string {
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
  const headers = { ...(credential && { authorization: `Bearer ${credential}` }), ...sent.headers }
  return [
    `curl -i -X ${sent.operation.method} ${quote(`http://127.0.0.1:8000${pathOf(sent)}`)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    ...(sent.body === null ? [] : [`--data-binary ${quote(sent.body)}`]),
  ].join(' ')
}

/** Smaller requests that may fail in the same way. */
export function smaller(sent: Sent): Sent[] {
  const without = <T>(from: Record<string, T>, name: string) =>
    Object.fromEntries(Object.entries(from).filter(([one]) => one !== name))
  return [
    ...Object.keys(sent.query).map((name) => ({ ...sent, query: without(sent.query, name) })),
    ...Object.keys(sent.headers).map((name) => ({ ...sent, headers: without(sent.headers, name) })),
    ...smallerBodies(sent.body).map((body) => ({ ...sent, body })),
  ]
}
function smallerBodies(body: string | null): string[] {
  if (body === null) return []
  try {
    const parsed = JSON.parse(body) as Json
    return [...removals(parsed)].map((value) => JSON.stringify(value))
  } catch {
    return body.length > 1 ? [body.slice(0, body.length / 2)] : []
  }
}
function* removals(value: Json): Generator<Json> {
  if (typeof value === 'string' && value.length > 8) yield value.slice(0, value.length / 2)
  if (typeof value !== 'object' || value === null) return
  for (const key of Object.keys(value)) {
    if (Array.isArray(value)) yield value.filter((_, at) => String(at) !== key)
    else yield Object.fromEntries(Object.entries(value).filter(([one]) => one !== key))
  }
  for (const [key, inner] of Object.entries(value)) {
    for (const less of removals(inner as Json)) {
      if (Array.isArray(value)) yield value.map((one, at) => (String(at) === key ? less : one))
      else yield { ...value, [key]: less }
    }
  }
}
