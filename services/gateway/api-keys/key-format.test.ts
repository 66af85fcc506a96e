import { expect, test } from 'bun:test'
import { hashApiKey, isApiKey, newApiKey, shownParts } from './key-format.ts'

test('a new key is assay_ and 36 base62 characters, and no two are equal', () => {
  const keys = Array.from({ length: 1_000 }, newApiKey)
  for (const key of keys) expect(key).toMatch(/^assay_[0-9A-Za-z]{36}$/)
  expect(new Set(keys).size).toBe(keys.length)
})

test('a key with any one character changed is not a key', () => {
  const key = newApiKey()
  expect(isApiKey(key)).toBe(true)
  for (let at = 0; at < key.length; at++) {
    const other = key[at] === 'x' ? 'y' : 'x'
    expect(isApiKey(key.slice(0, at) + other + key.slice(at + 1))).toBe(false)
  }
  expect(isApiKey(`${key}0`)).toBe(false)
  expect(isApiKey('')).toBe(false)
})

test('what is shown is the beginning and the end, and what is stored is the SHA-256', () => {
  const key = newApiKey()
  expect(shownParts(key)).toEqual({ prefix: key.slice(0, 10), last4: key.slice(-4) })
  expect(hashApiKey('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})
