import { expect, test } from 'bun:test'
import { createRouteTrie } from './route-trie.ts'

const ownerOf = createRouteTrie({
  trading: ['/api/assessments', '/api/assessments/:id/orders', '/api/assessments/:id/orders/:oid', '/api/presets/:id'],
  'market-data': ['/api/market/ticker/:symbol', '/api/assessments/overview'],
})

test('a path belongs to the service whose pattern it matches, literal segments first', () => {
  expect(ownerOf('/api/assessments')).toBe('trading')
  expect(ownerOf('/api/assessments/')).toBe('trading')
  expect(ownerOf('/api/assessments/1/orders/2')).toBe('trading')
  expect(ownerOf('/api/market/ticker/BTC%2FUSD')).toBe('market-data')
  expect(ownerOf('/api/assessments/overview')).toBe('market-data')
  expect(ownerOf('/api/assessments/overview/orders')).toBe('trading')
})
test('nothing else belongs to anybody', () => {
  for (const path of [
    '/',
    '/api',
    '/api/assessments/1',
    '/api/market/ticker/',
    '/api/market/ticker/a/b',
    '/internal/x',
  ])
    expect([path, ownerOf(path)]).toEqual([path, undefined])
})
test('two services with one path stop the start', () => {
  expect(() => createRouteTrie({ a: ['/api/x/:id'], b: ['/api/x/:name'] })).toThrow('/api/x/:name is of a and of b')
})
