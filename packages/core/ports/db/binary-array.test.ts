import { expect, test } from 'bun:test'
import { binaryArray } from './binary-array.ts'

const view = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

test('an integer of up to 53 bits keeps every digit, below zero too (V1.4.2)', () => {
  const items = [0, -1, 2 ** 31, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, null]
  const bytes = view(binaryArray('bigint', items))
  expect(bytes.readInt32BE(12)).toBe(items.length)
  let at = 20
  for (const item of items) {
    const length = bytes.readInt32BE(at)
    at += 4
    if (item === null) expect(length).toBe(-1)
    else expect(Number(bytes.readBigInt64BE(at))).toBe(item)
    at += Math.max(length, 0)
  }
})
test('an array without items has no dimension', () => {
  expect(view(binaryArray('text', []))).toEqual(Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25]))
})
