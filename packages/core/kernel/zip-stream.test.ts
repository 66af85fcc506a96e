import { expect, test } from 'bun:test'
import { strFromU8, unzipSync } from 'fflate'
import { type ZipFile, zipStream } from './zip-stream.ts'

async function* parts(...texts: string[]): AsyncGenerator<string> {
  yield* texts
}
async function* files(...all: ZipFile[]): AsyncGenerator<ZipFile> {
  yield* all
}

test('is a zip of what the files are, empty ones and large ones too', async () => {
  const large = Array.from({ length: 50 }, (_, i) => crypto.randomUUID().repeat(200) + i)
  const stream = zipStream(
    files(
      { name: 'a/one.json', parts: parts('[', '1', ']') },
      { name: 'empty', parts: parts() },
      { name: 'large é', parts: parts(...large) },
    ),
  )
  const found = unzipSync(await new Response(stream).bytes())
  expect(Object.keys(found)).toEqual(['a/one.json', 'empty', 'large é'])
  expect(strFromU8(found['a/one.json']!)).toBe('[1]')
  expect(found.empty).toHaveLength(0)
  expect(strFromU8(found['large é']!)).toBe(large.join(''))
})

test('nothing is read ahead of its reader but a part, and a reader who leaves ends the source', async () => {
  let read = 0
  let isEnded = false
  async function* endless(): AsyncGenerator<string> {
    try {
      for (;;) {
        read++
        yield crypto.randomUUID().repeat(1_000)
      }
    } finally {
      isEnded = true
    }
  }
  const reader = zipStream(files({ name: 'endless', parts: endless() })).getReader()
  for (let i = 0; i < 5; i++) await reader.read()
  expect(read).toBeLessThan(20)
  await reader.cancel()
  expect(isEnded).toBe(true)
})

test('a source that fails half way breaks the zip off instead of ending it', async () => {
  async function* failing(): AsyncGenerator<string> {
    yield 'one'
    throw new Error('half way')
  }
  const reading = new Response(zipStream(files({ name: 'f', parts: failing() }))).bytes()
  expect(
    await reading.then(
      () => 'whole',
      (error) => error.message,
    ),
  ).toBe('half way')
})
