import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openWorld, type World } from '../testing/world.ts'

const PASSWORD = 'a long password of a test'
let world: World
beforeAll(async () => {
  world = await openWorld({ RATE_LIMIT_PER_MINUTE: '1000000' })
}, 60_000)
afterAll(() => world.database.drop())

let people = 0
async function person(role: 'trader' | 'operator' = 'trader', tenant = 'default') {
  const email = `usage-${++people}@x.example`
  const { id } = await world.createUser({ email, password: PASSWORD, role, tenant })
  const { body } = await world.ask('POST', '/api/auth/login', {
    body: { email, password: PASSWORD },
    address: `198.51.100.${people}`,
  })
  if (!body.token) throw new Error(`no login: ${JSON.stringify(body)}`)
  return { id, token: body.token as string }
}
const check = (token?: string) => world.ask('GET', '/api/auth/check', { token })
/** A request is counted when its answer has gone: in the next turn of the event loop. */
const counted = () => new Promise((resolve) => setImmediate(resolve))
const usage = async (token: string, query = '') => {
  await counted()
  return world.ask('GET', `/api/usage${query}`, { token })
}
const today = () => new Date(world.time.now).toISOString().slice(0, 10)

test('requests, errors and times are told by day, user, key and route class, and a restart loses none', async () => {
  const { id, token } = await person()
  const { key } = (await world.ask('POST', '/api/api-keys', { token, body: { name: 'bot' } })).body
  for (let n = 0; n < 3; n++) await check(token)
  await check(key)
  await world.ask('GET', '/api/nothing', { token: key })
  const first = await usage(token)
  expect(first.status).toBe(200)
  const shown = first.body.items.map((item: Record<string, unknown>) => [
    item.day,
    item.user_id,
    item.key_id === null,
    item.class,
    item.requests,
    item.errors,
    item.limited,
  ])
  expect(shown).toEqual([
    [today(), id, true, 'auth', 1, 0, 0],
    [today(), id, true, 'default', 3, 0, 0],
    [today(), id, false, 'default', 2, 1, 0],
  ])
  expect(first.body.items[1].latency).toEqual({ mean_ms: 0, max_ms: 0, p50_ms: 0, p95_ms: 0, p99_ms: 0 })
  await check(token)
  await counted()
  await world.closePart('gateway usage')
  await world.restart()
  const { body } = await usage(token, '?class=default')
  expect(body.items.map(({ requests }: { requests: number }) => requests)).toEqual([5, 2])
})

test('pages follow each other without a gap, days are filtered, and a cursor of somebody’s own making is refused', async () => {
  const { token } = await person()
  const days = 5
  for (let n = 0; n < days; n++) {
    await check(token)
    if (n < days - 1) world.time.now += 60_000
  }
  await world.database.db.as('gateway').query(
    `insert into usage select d::date, u.tenant, u.user_id, u.key_id, u.route_class, 1,0,0,1,1,1,0,0,0,0,0
       from usage u, (values ('2026-01-01'), ('2026-01-02'), ('2026-01-03')) as x(d)
      where u.user_id = (select user_id from usage order by user_id desc limit 1) and u.route_class = 'default'`,
  )
  const { items } = (await usage(token, '?class=default')).body
  const paged: unknown[] = []
  let next: string | null = ''
  do {
    const { body }: { body: { items: unknown[]; next: string | null } } = await usage(
      token,
      `?class=default&limit=1${next ? `&cursor=${encodeURIComponent(next)}` : ''}`,
    )
    paged.push(...body.items.map((item) => (item as { day: string }).day))
    next = body.next
  } while (next)
  expect(paged).toEqual(items.map(({ day }: { day: string }) => day))
  const some = await usage(token, '?class=default&from=2026-01-02&to=2026-01-03')
  expect(some.body.items.map(({ day }: { day: string }) => day)).toEqual(
    items.map(({ day }: { day: string }) => day).filter((day: string) => day >= '2026-01-02' && day <= '2026-01-03'),
  )
  for (const [query, field] of [
    ['?cursor=nonsense', 'cursor'],
    ['?from=yesterday', 'from'],
    ['?class=fast', 'class'],
    ['?user_id=x', 'user_id'],
  ])
    expect([query, (await usage(token, query)).body.field]).toEqual([query, field])
})

test('another’s usage is for operators of the tenant, every tenant’s and that of nobody for the house', async () => {
  const [trader, other] = [await person('trader', 'firm'), await person('trader', 'firm')]
  const [operator, house] = [await person('operator', 'firm'), await person('operator')]
  const stranger = await person('operator', 'rival')
  await check(trader.token)
  await check()
  expect((await usage(other.token, `?user_id=${trader.id}`)).status).toBe(403)
  expect((await usage(other.token, '?tenant=firm')).status).toBe(403)
  const seen = async (token: string, query: string) => (await usage(token, query)).body.items.length > 0
  expect(await seen(operator.token, `?user_id=${trader.id}`)).toBe(true)
  expect(await seen(operator.token, '?tenant=firm')).toBe(true)
  expect(await seen(operator.token, '?tenant=default')).toBe(false)
  expect(await seen(operator.token, '?user_id=anonymous')).toBe(false)
  expect(await seen(stranger.token, `?user_id=${trader.id}`)).toBe(false)
  expect(await seen(house.token, `?user_id=${trader.id}`)).toBe(true)
  expect(await seen(house.token, '?tenant=firm')).toBe(true)
  expect(await seen(house.token, '?user_id=anonymous')).toBe(true)
  expect((await world.ask('GET', '/api/usage')).status).toBe(401)
})
