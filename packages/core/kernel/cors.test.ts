import { expect, test } from 'bun:test'
import { corsHeaders, origin } from './cors.ts'

test.each([
  ['https://app.example', 'https://app.example'],
  ['https://app.example/', 'https://app.example'],
  ['https://App.Example:443', 'https://app.example'],
  ['http://localhost:5173/', 'http://localhost:5173'],
  ['http://[::1]:80', 'http://[::1]'],
  ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ['capacitor://localhost', 'capacitor://localhost'],
])('CORS_ORIGINS: %s is what a browser calls %s', (text, said) => {
  expect(origin().parse(text)).toBe(said)
})
test.each([
  'https://app.example/shop',
  'https://app.example?x',
  'https://ada@app.example',
  'https://*.example',
  '*',
  'null',
  'app.example',
  'file:///tmp',
  'mailto:ada@app.example',
])('CORS_ORIGINS: %s, which no Origin header can say, is refused', (text) => {
  expect(origin().safeParse(text).error?.issues[0]?.message).toStartWith('must be origins like https://app.example')
})
test('whoever keeps an answer learns that it differs by origin, also of one that was asked without', () => {
  const allowed = ['https://app.example']
  expect(['https://app.example', 'https://evil.example', null].map((one) => corsHeaders(one, allowed).vary)).toEqual([
    'origin',
    'origin',
    'origin',
  ])
})
