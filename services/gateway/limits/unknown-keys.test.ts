import { afterAll, beforeAll, expect, test } from 'bun:test'
import { newApiKey } from '../api-keys/key-format.ts'
import { newPerson } from '../testing/person.ts'
import { openWorld, UNLIMITED, type World } from '../testing/world.ts'
import { limitUnknownKeys } from './unknown-keys.ts'

let world: World
beforeAll(async () => {
  world = await openWorld(UNLIMITED)
}, 30_000)
afterAll(() => world.database.drop())

const FLOODER = '203.0.113.66'
const check = (token: string, address: string) => world.ask('GET', '/api/auth/check', { token, address })

test('a good key takes nothing, however often it is looked up', () => {
  const admit = limitUnknownKeys({ monotonic: () => 0 }, () => {})
  for (let n = 0; n < 1_000; n++) admit(FLOODER)()
  for (let n = 0; n < 300; n++) admit(FLOODER)
  expect(() => admit(FLOODER)).toThrow('Too many API keys')
})

test('keys that nobody knows are looked up 300 times a minute for one address; whose keys are good never notices', async () => {
  const person = await newPerson(world)
  const key: string = (await person.ask('POST', '/api/api-keys', { name: 'bot' })).body.key
  expect((await check(key, FLOODER)).status).toBe(200)
  const codes: Record<number, number> = {}
  for (let n = 0; n < 320; n++) {
    const { status } = await check(newApiKey(), FLOODER)
    codes[status] = (codes[status] ?? 0) + 1
  }
  expect(codes).toEqual({ 401: 300, 429: 20 })
  const refused = await check(newApiKey(), FLOODER)
  expect([refused.body.code, refused.headers.get('retry-after')]).toEqual(['rate_limited', '1'])
  // a key that is remembered goes on there, and any key elsewhere
  expect((await check(key, FLOODER)).status).toBe(200)
  expect((await check(newApiKey(), '203.0.113.8')).status).toBe(401)
})
