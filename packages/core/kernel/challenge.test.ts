import { expect, test } from 'bun:test'
import { AssayError } from '../contracts/errors.ts'
import { challenge } from './challenge.ts'

const base = 'https://assay.example'
const metadata = 'resource_metadata="https://assay.example/.well-known/oauth-protected-resource"'

test('a 401 names the metadata of the resource, and an error only when a credential was sent', () => {
  const refused = new AssayError('unauthorized', 'x')
  expect(challenge(refused, { sent: false, base })).toBe(`Bearer ${metadata}`)
  expect(challenge(refused, { sent: true, base })).toBe(`Bearer error="invalid_token", ${metadata}`)
  expect(challenge(refused, { sent: false, base: null })).toBe('Bearer')
})

test('a 403 for want of a scope names it, so that a client can ask for it; any other 403 is no challenge', () => {
  const scope = new AssayError('forbidden', 'x', { scope: 'orders:write' })
  expect(challenge(scope, { sent: true, base })).toBe(
    `Bearer error="insufficient_scope", scope="orders:write", ${metadata}`,
  )
  expect(challenge(new AssayError('forbidden', 'x'), { sent: true, base })).toBeUndefined()
  expect(challenge(new AssayError('not_found', 'x'), { sent: true, base })).toBeUndefined()
})
