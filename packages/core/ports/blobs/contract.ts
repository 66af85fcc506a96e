import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Blobs } from './port.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

/** What every blob store guarantees. */
export function blobsContract(open: () => Promise<Blobs>): void {
  let blobs: Blobs
  beforeAll(async () => {
    blobs = await open()
  })
  afterAll(() => blobs.close())

  test('what was put comes back, byte for byte', async () => {
    const content = new Uint8Array(100_000).map((_, i) => i * 7)
    await blobs.put('segments/main/1.seg', content)
    expect(await blobs.get('segments/main/1.seg')).toEqual(content)
    expect(await blobs.has('segments/main/1.seg')).toBe(true)
  })
  test('what is not there is null, and deleting it is no error', async () => {
    expect(await blobs.get('nowhere/at-all')).toBeNull()
    expect(await blobs.has('nowhere')).toBe(false)
    await blobs.delete('nowhere/at-all')
  })
  test('a put replaces: a reader sees the old or the new content', async () => {
    const contents = ['old '.repeat(50_000), 'new '.repeat(60_000)]
    await blobs.put('replaced', bytes(contents[0]!))
    const [, ...seen] = await Promise.all([
      blobs.put('replaced', bytes(contents[1]!)),
      ...Array.from({ length: 20 }, () => blobs.get('replaced')),
    ])
    for (const content of seen) expect(contents).toContain(new TextDecoder().decode(content!))
  })
  test('lists what begins with the prefix, ascending, a page at a time', async () => {
    for (const name of ['list/b', 'list/a/2', 'list/a/1', 'list/a-1', 'listed']) await blobs.put(name, bytes(name))
    expect(await blobs.list('list/')).toEqual(['list/a-1', 'list/a/1', 'list/a/2', 'list/b'])
    expect(await blobs.list('list/a')).toEqual(['list/a-1', 'list/a/1', 'list/a/2'])
    expect(await blobs.list('list/', { after: 'list/a/1', limit: 1 })).toEqual(['list/a/2'])
    expect(await blobs.list('none/')).toEqual([])
    await blobs.delete('list/b')
    expect(await blobs.list('list/b')).toEqual([])
  })
  test.each([
    '../escape',
    '/absolute',
    'a/../b',
    'a//b',
    'a/',
    '',
    '.hidden',
    'a/.b',
    'UPPER',
    'a\\b',
    'a\0b',
    'x'.repeat(600),
  ])('the name %j is refused', async (name) => {
    const refused = await blobs.put(name, bytes('x')).catch((error) => error)
    expect(refused).toBeInstanceOf(RangeError)
    expect(await blobs.get(name).catch((error) => error)).toBeInstanceOf(RangeError)
  })
}
