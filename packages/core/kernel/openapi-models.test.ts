import { expect, test } from 'bun:test'
import { hoist } from './openapi-models.ts'

const long = 'of many words, '.repeat(20)
const inner = { type: 'string', description: long }
const outer = { type: 'object', properties: { inner }, description: long }
const named = { Inner: inner, Outer: { $schema: 'x', ...outer }, Short: { type: 'string' } }

test('what stands in several places under a name is said once; what is short, or stands once, stays where it is', () => {
  const paths = { '/a': { get: outer }, '/b': { get: [outer, { type: 'string' }, { type: 'string' }] } }
  const { document, schemas } = hoist(paths, named)
  const reference = { $ref: '#/components/schemas/Outer' }
  expect(document as unknown).toEqual({
    '/a': { get: reference },
    '/b': { get: [reference, { type: 'string' }, { type: 'string' }] },
  })
  expect(schemas).toEqual({
    Inner: inner,
    Outer: { ...outer, properties: { inner: { $ref: '#/components/schemas/Inner' } } },
  })
  expect(hoist({ once: inner }, named)).toEqual({ document: { once: inner }, schemas: {} })
})
