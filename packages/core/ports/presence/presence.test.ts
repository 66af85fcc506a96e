import { afterAll, afterEach, expect, test } from 'bun:test'
import { describeAdapters, describeReal } from '../../testing/adapters.ts'
import { breakable, testRedis } from '../../testing/redis.ts'
import { until } from '../../testing/until.ts'
import type { RedisServer } from '../cache/redis-server.ts'
import { presenceContract } from './contract.ts'
import { createMemoryPresence } from './memory.ts'
import { createRedisPresence } from './redis.ts'

const opened: RedisServer[] = []
/** Processes of one platform: each has a connection of its own. */
async function servers(count: number): Promise<RedisServer[]> {
  const prefix = `test:${crypto.randomUUID()}:`
  const these = await Promise.all(Array.from({ length: count }, () => testRedis({ prefix })))
  opened.push(...these)
  return these
}
afterAll(() => Promise.all(opened.map((redis) => redis.close())))

const memory = async () => {
  const presence = createMemoryPresence()
  return { one: presence, two: presence }
}
const real = async () => {
  const [one, two] = (await servers(2)).map((redis) => createRedisPresence({ redis }))
  return { one: one!, two: two! }
}
describeAdapters('presence', { embedded: memory, real }, presenceContract)

describeReal('presence of several processes on one Redis', () => {
  const closing: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })
  const presenceOn = (redis: RedisServer, ttlMs: number) => {
    const presence = createRedisPresence({ redis, ttlMs })
    closing.push(() => presence.close())
    return presence
  }

  test('the seats of a process that is killed are free when nobody has renewed them for their time; those of the living stay', async () => {
    const [dying, living] = await servers(2)
    const [one, two] = [presenceOn(dying!, 300), presenceOn(living!, 300)]
    for (let i = 0; i < 3; i++) await one.enter('ann', 4)
    const kept = await two.enter('ann', 4)
    expect(await two.enter('ann', 4)).toBeNull()
    // as kill -9: no word to anybody, no beat any more
    const killed = performance.now()
    await dying!.close()
    await until('its seats are over', async () => (await two.list('ann')).length === 1)
    expect(performance.now() - killed).toBeGreaterThan(150)
    expect(await two.list('ann')).toEqual([kept!.id])
    for (let i = 0; i < 3; i++) expect(await two.enter('ann', 4)).not.toBeNull()
    expect(await two.enter('ann', 4)).toBeNull()
  })

  test('a process that ends gives its seats back at once', async () => {
    const [first, second] = await servers(2)
    const [one, two] = [presenceOn(first!, 60_000), presenceOn(second!, 60_000)]
    for (let i = 0; i < 3; i++) await one.enter('bob', 3)
    expect(await two.enter('bob', 3)).toBeNull()
    await one.close()
    expect(await two.list('bob')).toEqual([])
  })

  test('while the server is away a process counts for itself; what it let in is counted when the server is back', async () => {
    const [first, second] = await servers(2)
    const wire = { cut: false }
    const [one, two] = [presenceOn(breakable(first!, wire), 150), presenceOn(second!, 150)]
    await two.enter('cat', 3)
    await two.enter('cat', 3)
    wire.cut = true
    expect(one.away()).toBe('cut')
    expect(await one.list('cat').catch(({ code }) => code)).toBe('unavailable')
    const seats = [await one.enter('cat', 3), await one.enter('cat', 3), await one.enter('cat', 3)]
    expect(seats).not.toContain(null)
    expect(await one.enter('cat', 3)).toBeNull()
    // what is left while nobody hears it does not come back
    await seats[0]!.leave()
    expect(await two.list('cat')).toHaveLength(2)
    wire.cut = false
    await until('all are counted', async () => (await two.list('cat')).length === 4)
    expect(await two.list('cat')).toEqual(expect.arrayContaining([seats[1]!.id, seats[2]!.id]))
    expect([await one.enter('cat', 4), await two.enter('cat', 4)]).toEqual([null, null])
  })

  test('a server that forgot everything hears of the open seats again', async () => {
    const [first] = await servers(1)
    const one = presenceOn(first!, 150)
    const seat = await one.enter('dan', 1)
    await first!.call((client) => client.del(first!.key('presence', 'dan')))
    expect(await one.list('dan')).toEqual([])
    await until('it is told', async () => (await one.list('dan'))[0] === seat!.id)
  })
})
