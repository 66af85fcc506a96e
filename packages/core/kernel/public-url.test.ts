import { expect, test } from 'bun:test'
import { createPublicUrl, publicUrl } from './public-url.ts'

const at = (url: string) => ({ url })

test('without PUBLIC_URL only a loopback address is believed, and none in production', () => {
  const local = createPublicUrl(undefined, false)
  expect(local.of(at('http://localhost:8000/api?x=1'))).toBe('http://localhost:8000')
  expect(local.of(at('http://127.0.0.1:1/'))).toBe('http://127.0.0.1:1')
  expect(local.of(at('http://evil.example/'))).toBeNull()
  expect(local.of(at('http://localhost.evil.example/'))).toBeNull()
  expect(local.isOurs('http://localhost:9')).toBe(true)
  expect(local.isOurs('https://evil.example')).toBe(false)
  const live = createPublicUrl(undefined, true)
  expect(live.of(at('http://localhost:8000/'))).toBeNull()
  expect(live.isOurs('http://localhost:8000')).toBe(false)
})

test('what is configured stands, whatever host a request names', () => {
  const { of, isOurs } = createPublicUrl('https://assay.example', false)
  expect(of(at('http://evil.example/x'))).toBe('https://assay.example')
  expect(isOurs('https://assay.example')).toBe(true)
  expect(isOurs('http://localhost:8000')).toBe(false)
})

test('PUBLIC_URL is an origin over https, or of this machine', () => {
  const read = (text: string) => publicUrl().safeParse(text)
  expect(read('https://assay.example/').data).toBe('https://assay.example')
  expect(read('http://localhost:8000').data).toBe('http://localhost:8000')
  for (const bad of ['http://assay.example', 'https://assay.example/app', 'ftp://x', 'assay.example', 'https://u:p@x'])
    expect(read(bad).success).toBe(false)
})
