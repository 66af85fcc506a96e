import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Cache } from './port.ts'

export interface CacheUnderTest {
  cache: Cache
  /** lets this much time pass for the cache */
  pass: (ms: number) => Promise<void>
}

/** What every cache guarantees. */
export function cacheContract(open: () => Promise<CacheUnderTest>): void {
  let cache: Cache
  let pass: CacheUnderTest['pass']
  beforeAll(async () => {
    ;({ cache, pass } = await open())
  })
  afterAll(() => cache.close())

  test('a value comes back as a copy of its own, until its time is over', async () => {
    const value = { list: [1, 'two', null] }
    await cache.set('value', value, 1_000)
    value.list.push(3)
    expect(await cache.get<unknown>('value')).toEqual({ list: [1, 'two', null] })
    await pass(1_001)
    expect(await cache.get('value')).toBeNull()
  })
  test('add sets only what is absent', async () => {
    expect(await cache.add('once', 1, 1_000)).toBe(true)
    expect(await cache.add('once', 2, 1_000)).toBe(false)
    expect(await cache.get<number>('once')).toBe(1)
    await pass(1_001)
    expect(await cache.add('once', 3, 1_000)).toBe(true)
  })
  test('of many that take a token, one gets it', async () => {
    await cache.set('token', 'secret', 1_000)
    const taken = await Promise.all([1, 2, 3, 4].map(() => cache.take<string>('token')))
    expect(taken.filter((token) => token !== null)).toEqual(['secret'])
  })
  test('a deleted value is gone', async () => {
    await cache.set('gone', 1, 1_000)
    await cache.delete('gone')
    expect(await cache.get('gone')).toBeNull()
  })
  test('many that load a key at once share one loader', async () => {
    let loads = 0
    const loader = async () => {
      await Promise.resolve()
      return ++loads
    }
    expect(await Promise.all([1, 2, 3].map(() => cache.load('shared', 1_000, loader)))).toEqual([1, 1, 1])
    expect(await cache.load('shared', 1_000, loader)).toBe(1)
    await pass(1_001)
    expect(await cache.load('shared', 1_000, loader)).toBe(2)
  })
  test('a loader that fails is not remembered', async () => {
    const failed = await cache
      .load('broken', 1_000, () => Promise.reject(new Error('down')))
      .catch((error) => error.message)
    expect(failed).toBe('down')
    expect(await cache.load('broken', 1_000, async () => 'up')).toBe('up')
  })
}
