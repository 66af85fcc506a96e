import { afterAll, beforeAll, expect, test } from 'bun:test'
import { newPerson, type Person } from './testing/person.ts'
import { openWorld, UNLIMITED, type World } from './testing/world.ts'

let world: World
let house: Person
beforeAll(async () => {
  world = await openWorld(UNLIMITED)
  house = await newPerson(world, { role: 'operator' })
}, 30_000)
afterAll(() => world.database.drop())

const get = (path: string, more: Record<string, string> = {}) =>
  world.handle(new Request(`http://localhost${path}`, { headers: { authorization: `Bearer ${house.token}`, ...more } }))

test('every list has an ETag by which a caller that has it already gets 304, and another page another one', async () => {
  const plain = world.running.app.routes.filter(({ method, path }) => method === 'GET' && !path.includes(':'))
  const lists: string[] = []
  for (const { path } of plain) {
    const text = await (await get(path)).text()
    if (text.startsWith('{"items":')) lists.push(path)
  }
  expect(lists.length).toBeGreaterThanOrEqual(8)
  const settled = lists.filter((path) => path !== '/api/usage')
  for (const path of settled) {
    const tag = (await get(path)).headers.get('etag')
    expect([path, tag]).toEqual([path, expect.stringMatching(/^W\/"\w+"$/)])
    const again = await get(path, { 'if-none-match': tag! })
    expect([path, again.status, await again.text()]).toEqual([path, 304, ''])
  }
  await newPerson(world)
  const tags = await Promise.all(
    ['/api/users', '/api/users?limit=1'].map(async (path) => (await get(path)).headers.get('etag')),
  )
  expect(new Set(tags).size).toBe(2)
})
