import { describe, expect, test } from 'bun:test'
import { unzipSync, zipSync } from 'fflate'
import { ContainerError, pack, unpack } from './container.ts'
import { streamFile, streamOfFile } from './stream-file.ts'

const files = new Map([
  ['b.txt', 'second '.repeat(500)],
  ['a/ü.json', '{"a":1}'],
  ['empty', ''],
])
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

describe('container', () => {
  test('holds what was put in, and other ZIP readers agree', () => {
    const bytes = pack(files)
    expect([...unpack(bytes).files].map(([n, b]) => [n, text(b)])).toEqual([...files].sort())
    expect(Object.entries(unzipSync(bytes)).map(([n, b]) => [n, text(b)])).toEqual([...files].sort())
  })
  test('the same content is the same bytes', () => {
    expect(pack(new Map([...files].reverse()))).toEqual(pack(files))
  })
  test('reads what an ordinary ZIP writer makes, stored or deflated', () => {
    const plain = Object.fromEntries([...files].map(([n, t]) => [n, new TextEncoder().encode(t)]))
    for (const level of [0, 6] as const) expect(unpack(zipSync(plain, { level })).files.size).toBe(3)
  })
  test('a cut anywhere is not a readable archive', () => {
    const bytes = pack(files)
    for (let n = 0; n < bytes.length; n += 7) expect(() => unpack(bytes.subarray(0, n))).toThrow(ContainerError)
  })
  test('bytes before, behind or between are refused (V5.2.2)', () => {
    const bytes = pack(files)
    for (const at of [0, 40, bytes.length]) {
      expect(() => unpack(new Uint8Array([...bytes.subarray(0, at), 0, ...bytes.subarray(at)]))).toThrow(ContainerError)
    }
  })
  test('an entry that inflates to more than it says is refused before it grows (V5.2.3)', () => {
    const bytes = pack(new Map([['bomb', '0'.repeat(1_000_000)]]))
    const view = new DataView(bytes.buffer)
    const directory = view.getUint32(bytes.length - 6, true)
    view.setUint32(22, 10, true)
    view.setUint32(directory + 24, 10, true)
    expect(() => unpack(bytes)).toThrow('larger than it says')
    view.setUint32(22, 2 ** 31, true)
    view.setUint32(directory + 24, 2 ** 31, true)
    expect(() => unpack(bytes)).toThrow('larger than a proof may be')
  })
  test('a changed byte of content is found by its checksum', () => {
    const bytes = zipSync({ a: new TextEncoder().encode('hello') }, { level: 0 })
    bytes[31 + 2]! ^= 1
    expect(unpack(bytes).damaged).toEqual(['a'])
  })
})

describe('stream files', () => {
  test('a stream has one file name and comes back from it', () => {
    for (const stream of ['BTC/USD', 'group', 'POLY:0xab:Yes', 'EUR.x', 'ü', '..', 'a%b']) {
      const file = streamFile(stream)
      expect(file).toMatch(/^log\/[A-Za-z0-9_%-]+\.jsonl$/)
      expect(streamOfFile(file)).toBe(stream)
    }
    expect(streamFile('BTC/USD')).toBe('log/BTC%2FUSD.jsonl')
  })
  test('another spelling is no name', () => {
    expect(
      ['log/BTC%2fUSD.jsonl', 'log/a.b.jsonl', 'log/%41.jsonl', 'x.jsonl', 'log/%.jsonl'].map(streamOfFile),
    ).toEqual([null, null, null, null, null])
  })
})
