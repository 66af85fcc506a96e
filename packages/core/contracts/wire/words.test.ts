import { describe, expect, test } from 'bun:test'
import { z } from 'zod'
import { AssayError } from '../errors.ts'
import { OrderRequest } from './order-request.ts'
import { fieldsOf, parseWire } from './parse.ts'
import { parseTier } from './tier.ts'

const refusal = (read: () => unknown): string => {
  try {
    read()
  } catch (error) {
    if (error instanceof AssayError) return error.detail
  }
  return ''
}
const Example = z.strictObject({
  name: z.string().min(1).max(3),
  list: z.array(z.string()).min(1).max(2),
  side: z.enum(['buy', 'sell']),
  count: z.int().min(0).max(5),
  open: z.boolean(),
  limit: z.union([z.object({ amount: z.string() }), z.object({ pct: z.string() })]),
  rule: z.discriminatedUnion('rule', [z.object({ rule: z.literal('a') }), z.object({ rule: z.literal('b') })]),
  code: z.string().regex(/^x/, 'must begin with x'),
})
const good = {
  name: 'abc',
  list: ['a'],
  side: 'buy',
  count: 1,
  open: true,
  limit: { pct: '1' },
  rule: { rule: 'a' },
  code: 'x',
}

describe('what is wrong with a field is said in our words', () => {
  const cases: [Record<string, unknown>, string][] = [
    [{ name: undefined }, 'name: is missing'],
    [{ name: 5 }, 'name: must be a string'],
    [{ name: '' }, 'name: must not be empty'],
    [{ name: 'abcd' }, 'name: must have at most 3 characters'],
    [{ list: undefined }, 'list: is missing'],
    [{ list: [] }, 'list: must hold at least 1 item'],
    [{ list: ['a', 'b', 'c'] }, 'list: must hold at most 2 items'],
    [{ side: 'up' }, 'side: must be one of "buy", "sell"'],
    [{ side: undefined }, 'side: is missing'],
    [{ count: 1.5 }, 'count: must be a whole number'],
    [{ count: 9 }, 'count: must be at most 5'],
    [{ open: 'yes' }, 'open: must be true or false'],
    [{ limit: {} }, 'limit: has none of the shapes that it may have'],
    [{ rule: { rule: 'c' } }, 'rule.rule: must be one of "a", "b"'],
    [{ rule: {} }, 'rule.rule: is missing'],
    [{ code: 'y' }, 'code: must begin with x'],
    [{ other: 1 }, 'other: is not a known field'],
  ]
  test.each(cases)('%j', (change, words) => {
    expect(refusal(() => parseWire(Example, { ...good, ...change }))).toBe(words)
  })
  test('of a hundred fields, not of as many as a document can hold', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`f${n}`, 1]))
    const { error } = Example.safeParse({ ...good, ...many })
    expect(fieldsOf(error!.issues)).toHaveLength(100)
  })
  test('of an order and of a tier', () => {
    const order = { symbol: 'EUR/USD', side: 'buy', type: 'market' }
    expect(refusal(() => parseWire(OrderRequest, order))).toBe('quantity: is missing')
    const tier = { name: 'x', currency: 'USD', initial_balance: '1', phases: [] }
    expect(refusal(() => parseTier(tier))).toBe('phases: must hold at least 1 item')
  })
})
