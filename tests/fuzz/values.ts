import fc, { type Arbitrary } from 'fast-check'
import type { Document, Json, Schema } from './operations.ts'

/** A value of the pools, chosen when the request is made: ids are known only then. */
export interface Known {
  $known: string
  pick: number
}
export type Value = Json | Known | Value[] | { [key: string]: Value }
export const isKnown = (value: unknown): value is Known =>
  typeof value === 'object' && value !== null && '$known' in value

/** Fields that name something that exists: the collection that lists it. */
const NAMES: Readonly<Record<string, string>> = {
  symbol: '/api/instruments',
  tier_id: '/api/tiers',
  purchase_id: '/api/purchases',
  user_id: '/api/users',
  tenant: '/api/tenants',
  preset: '/api/presets',
  refresh_token: 'refresh_token',
}
/** Decimals that fit most fields: amounts, prices, percents, fractions. */
const DECIMALS = [
  '1',
  '0.01',
  '0.1',
  '0.5',
  '2',
  '5',
  '10',
  '100',
  '1000',
  '100000',
  '60000',
  '3000.5',
  '0',
  '-1',
  '1.1',
]
const DECIMAL = /decimal|^\^-\?/
const HOUR = 3_600_000

/** Values that the schema allows, of a size that a person could send. */
export function valuesOf(schema: Schema, document: Document, now: number): Arbitrary<Value> {
  return of(schema, '', 0)

  function of(schema: Schema, field: string, depth: number): Arbitrary<Value> {
    if (schema.$ref) return of(document.components.schemas[schema.$ref.split('/').at(-1)!]!, field, depth)
    if (schema.const !== undefined) return fc.constant(schema.const)
    if (schema.enum) return fc.constantFrom(...schema.enum)
    const choices = schema.oneOf ?? schema.anyOf
    if (choices) return fc.oneof(...choices.map((choice) => of(choice, field, depth)))
    if (schema.allOf) return fc.tuple(...schema.allOf.map((part) => of(part, field, depth))).map(merged)
    const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
    if (type === 'object') return objectOf(schema, depth)
    if (type === 'array') return arrayOf(schema, field, depth)
    if (type === 'integer' || type === 'number') return numberOf(schema, type)
    if (type === 'boolean') return fc.boolean()
    if (type === 'null') return fc.constant(null)
    if (type === 'string') return stringOf(schema, field)
    return fc.constantFrom<Json>('a', 1, null, {}, [])
  }

  function objectOf({ properties = {}, required = [], propertyNames, additionalProperties }: Schema, depth: number) {
    const optional = depth > 2 ? 0.1 : 0.25
    const fields = Object.entries(properties).map(([name, schema]) => {
      const value = of(schema, name, depth + 1)
      return required.includes(name)
        ? value
        : fc.option(value, { nil: undefined, freq: 1 / optional }).map((made) => made as Value | undefined)
    })
    const extra =
      typeof additionalProperties === 'object' && Object.keys(properties).length === 0
        ? fc.dictionary(
            of(propertyNames ?? { type: 'string', minLength: 1, maxLength: 8 }, '', depth + 1).map(String),
            of(additionalProperties, '', depth + 1),
            { maxKeys: 3, noNullPrototype: true },
          )
        : fc.constant({})
    return fc.tuple(extra, ...fields).map(([more, ...made]) => {
      const names = Object.keys(properties)
      const own = names.flatMap((name, at) => (made[at] === undefined ? [] : [[name, made[at]]]))
      return { ...(more as object), ...Object.fromEntries(own) } as Value
    })
  }

  function arrayOf({ items = {}, minItems = 0, maxItems = 5 }: Schema, field: string, depth: number): Arbitrary<Value> {
    const maxLength = Math.max(minItems, Math.min(maxItems, minItems + (depth > 2 ? 1 : 3)))
    return fc.array(of(items, field.replace(/s$/, ''), depth + 1), { minLength: minItems, maxLength })
  }

  function numberOf({ minimum, exclusiveMinimum, maximum }: Schema, type: string): Arbitrary<Value> {
    const least = minimum ?? (exclusiveMinimum === undefined ? 0 : exclusiveMinimum + 1)
    const most = maximum === undefined ? least + 1_000 : maximum
    if (type === 'number') return fc.double({ min: least, max: most, noNaN: true })
    return fc.oneof(fc.integer({ min: least, max: Math.min(most, least + 50) }), fc.integer({ min: least, max: most }))
  }

  function stringOf(schema: Schema, field: string): Arbitrary<Value> {
    const { format, pattern, minLength = 0, maxLength = Math.max(minLength, 24) } = schema
    const known = NAMES[field]
    if (known) return fc.nat().map((pick) => ({ $known: known, pick }))
    if (format === 'date-time') return fc.integer({ min: -72, max: 72 }).map((hours) => instant(now + hours * HOUR))
    if (format === 'date')
      return fc.integer({ min: -60, max: 60 }).map((days) => instant(now + days * 24 * HOUR).slice(0, 10))
    if (format === 'email') return fc.nat(1e9).map((n) => `fuzz-${n}@traders.example`)
    if (format === 'uuid') return fc.uuid({ version: 7 })
    if (format === 'uri' || format === 'url') return fc.nat(999).map((n) => `https://agent-${n}.example/callback`)
    if (pattern && DECIMAL.test(pattern)) return fc.constantFrom(...DECIMALS)
    if (pattern) return fc.stringMatching(new RegExp(pattern))
    const word = fc.string({
      unit: LETTER,
      minLength: Math.max(1, minLength),
      maxLength: Math.min(maxLength, minLength + 16),
    })
    return minLength === 0 ? fc.oneof(fc.constantFrom(...DECIMALS), word) : word
  }
}

const LETTER = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789-')
const instant = (ms: number): string => new Date(ms).toISOString()
const merged = (parts: Value[]): Value => Object.assign({}, ...(parts as object[]))
