import { expect, test } from 'bun:test'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { chooseEncoding, compressed, type Encoding } from './compress.ts'

const unpack: Record<Encoding, (data: Uint8Array) => Uint8Array> = {
  zstd: zstdDecompressSync,
  br: brotliDecompressSync,
  gzip: gunzipSync,
}
const long = { items: Array.from({ length: 60 }, (_, n) => ({ id: n, text: 'the same words' })) }
const answerOf = (body: unknown = long, headers: Record<string, string> = {}, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })
const pack = (response: Response, accepted = 'gzip', path = '/api/tiers') => compressed(response, { accepted, path })

test.each(['zstd', 'br', 'gzip'] as const)(
  'JSON of more than 1 KiB is sent as %s where asked, and is the same',
  async (encoding) => {
    for (const body of [long, Array(50).fill(long)]) {
      const said: string[] = []
      const answer = await compressed(answerOf(body), {
        accepted: encoding,
        path: '/api/tiers',
        onDone: (done) => said.push(done),
      })
      expect([answer.headers.get('content-encoding'), answer.headers.get('vary')]).toEqual([
        encoding,
        'accept-encoding',
      ])
      const bytes = await answer.bytes()
      expect(bytes.length).toBeLessThan(JSON.stringify(body).length / 3)
      expect(JSON.parse(new TextDecoder().decode(unpack[encoding](bytes)))).toEqual(body)
      expect(said).toEqual([encoding])
    }
  },
)

test('short answers, streams of events, archives, empty ones and those with secrets stay as they are', async () => {
  const plain = async (answer: Promise<Response>) => (await answer).headers.get('content-encoding')
  expect(await plain(pack(answerOf({ a: 1 })))).toBeNull()
  expect(await (await pack(answerOf({ a: 1 }))).json()).toEqual({ a: 1 })
  expect(await plain(pack(answerOf(long, { 'content-type': 'text/event-stream' })))).toBeNull()
  expect(await plain(pack(answerOf(long, { 'content-type': 'application/zip' })))).toBeNull()
  expect(await plain(pack(answerOf(long, { 'content-length': String(9 * 1024 * 1024) })))).toBeNull()
  expect(
    await plain(pack(new Response(null, { status: 304, headers: { 'content-type': 'application/json' } }))),
  ).toBeNull()
  for (const path of ['/api/auth/login', '/api/api-keys', '/oauth/token'])
    expect(await plain(pack(answerOf(), 'gzip', path))).toBeNull()
  expect((await pack(answerOf(long, { 'content-encoding': 'br' }))).headers.get('content-encoding')).toBe('br')
  expect(await plain(pack(answerOf(long, { 'content-type': 'application/problem+json' }, 422)))).toBe('gzip')
})

test.each([
  ['gzip, deflate, br, zstd', 'zstd'],
  ['gzip;q=1, br;q=0.5', 'gzip'],
  ['br;q=0.5, *;q=0.1', 'br'],
  ['*', 'zstd'],
  ['*, zstd;q=0', 'br'],
  ['identity', undefined],
  ['gzip;q=0', undefined],
  ['gzip;q=nonsense', undefined],
  ['', undefined],
])('of Accept-Encoding %p %p is chosen', (accepted, encoding) =>
  expect(chooseEncoding(accepted)).toBe(encoding as Encoding),
)
