import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { canonical, parseCanonical } from './canonical.ts'

const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string({ unit: 'binary' }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { maxKeys: 4 }),
  ),
})).value

describe('canonical JSON', () => {
  test('sorts members by UTF-16 code units, as RFC 8785 does', () => {
    // section 3.2.3 of the RFC: a surrogate pair sorts before U+FB33
    const object = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 }
    expect([...canonical(object).matchAll(/:(\d)/g)].map((m) => m[1])).toEqual(['2', '4', '6', '7', '1', '5', '3'])
  })
  test('escapes strings as JSON does and nothing else', () => {
    expect(canonical({ a: '\u000f\n"\\/€\u2028' })).toBe('{"a":"\\u000f\\n\\"\\\\/€\u2028"}')
  })
  test('reads back as the same value, whatever the order of members was', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonical(value)
        expect(canonical(JSON.parse(text))).toBe(text)
        expect(canonical(parseCanonical(text))).toBe(text)
      }),
    )
  })
  test('is what the rule says, member by member, for any names and any order', () => {
    const naive = (value: unknown): string => {
      if (Array.isArray(value)) return `[${value.map(naive).join(',')}]`
      if (typeof value !== 'object' || value === null) return JSON.stringify(value)
      const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
      return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${naive(member)}`).join(',')}}`
    }
    const name = fc.oneof(
      fc.constantFrom('1', '10', '9', '__proto__', 'toJSON', '\\ud', 'b', 'a', ''),
      fc.string({ maxLength: 2 }),
    )
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string(),
        fc.constantFrom('\\ud800', '"\\', '\u007f', '😀'),
        fc.maxSafeInteger(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(name, tie('value'), { maxKeys: 5, noNullPrototype: false }),
      ),
    }))
    fc.assert(fc.property(value, (any) => expect(canonical(any)).toBe(naive(any))))
  })
  test.each([
    [1.5],
    [Number.NaN],
    [2 ** 53],
    [-0],
    [undefined],
    [{ a: undefined }],
    [[undefined]],
    [10n],
    [new Date(0)],
    ['\ud800'],
    [{ '\udc00': 1 }],
    [{ toJSON: () => 1 }],
    [() => 1],
  ])('refuses what has no one spelling: %p', (value) => {
    expect(() => canonical(value)).toThrow(TypeError)
  })
  test.each([
    ['{"b":1,"a":2}'],
    ['{"a": 1}'],
    ['1e3'],
    ['1.0'],
    ['-0'],
    ['{"a":1,"a":1}'],
    ['"\\u0041"'],
    ['[1,]'],
    [''],
  ])('refuses another spelling: %s', (text) => {
    expect(() => parseCanonical(text)).toThrow(SyntaxError)
  })
})
