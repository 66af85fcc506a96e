import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { PersonalTable } from '@assay/core/kernel/personal-data'
import type { Db } from '@assay/core/ports/db/port'
import { until } from '@assay/core/testing/until'
import { GATEWAY_EXEMPT, GATEWAY_TABLES } from '@assay/services/gateway/privacy/tables'
import { TRADING_EXEMPT, TRADING_TABLES } from '@assay/services/trading/privacy/tables'
import { strFromU8, unzipSync } from 'fflate'
import { OPERATOR, openWorld, type World } from '../access/world.ts'

const PASSWORD = 'correct horse battery'
const TABLES = [...GATEWAY_TABLES, ...TRADING_TABLES]
let world: World
let db: Db
/** more than a bot needs: it is not for want of a scope that a key is refused */
const KEY_SCOPES = ['trading:read', 'account:read', 'account:write']
let people = 0
beforeAll(async () => {
  world = await openWorld()
  db = world.deps.db
}, 60_000)
afterAll(() => world.close())

interface Person {
  id: string
  email: string
  name: string
  token: string
  refresh: string
  key: string
}
const login = (email: string, password = PASSWORD) =>
  world.take<{ token: string; refresh_token: string }>('POST', '/api/auth/login', { body: { email, password } })

/** somebody with rows wherever a trader can have some */
async function person(): Promise<Person> {
  const [email, name] = [`ada${++people}@lovelace.example`, `Ada Augusta ${people} King`]
  const { user } = await world.take<{ user: { id: string } }>('POST', '/api/auth/register', {
    body: { email, name, password: PASSWORD },
  })
  const { token, refresh_token } = await login(email)
  const as = (body?: object, more: Record<string, string> = {}) => ({ credential: token, body, headers: more })
  const { key } = await world.take<{ key: string }>(
    'POST',
    '/api/api-keys',
    as({ name: `bot of ${name}`, scopes: KEY_SCOPES }),
  )
  const bought = as({ tier_id: 'demo-usd' }, { 'idempotency-key': crypto.randomUUID() })
  const purchase = await world.take<{ id: string }>('POST', '/api/purchases', bought)
  const assessment = await world.take<{ id: string }>('POST', '/api/assessments', as({ purchase_id: purchase.id }))
  await world.take('POST', `/api/assessments/${assessment.id}/start`, as())
  const order = { symbol: 'BTC/USD', side: 'buy', type: 'limit', quantity: '0.01', price: '1000' }
  await world.take('POST', `/api/assessments/${assessment.id}/orders`, as(order))
  return { id: user.id, email, name, token, refresh: refresh_token, key }
}
async function operator(): Promise<string> {
  return (await login(OPERATOR.email, OPERATOR.password)).token
}
async function exported(token: string, query = ''): Promise<Record<string, string>> {
  const url = `${world.url}/api/privacy/export${query}`
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': '198.18.0.1' } })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/zip'])
  const files = unzipSync(await answer.bytes())
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, strFromU8(bytes)]))
}
const counted = async ({ table, of }: PersonalTable, userId: string): Promise<number> =>
  Number((await db.query<{ n: string }>(`select count(*) as n from ${table} where ${of}`, [userId]))[0]!.n)
/** everything that the database holds of these schemas, as text */
async function dump(): Promise<string> {
  const tables = await db.query<{ name: string }>(
    `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
      where schemaname in ('gateway', 'trading', 'bus', 'market_data')`,
  )
  const texts = []
  for (const { name } of tables) texts.push(JSON.stringify(await db.query(`select t::text from ${name} t`)))
  return texts.join('\n')
}

describe('the list of what is personal', () => {
  test('names every table that refers to a user, an account or a session, exported or with a reason why not', async () => {
    const found = await db.query<{ name: string }>(
      `select distinct table_schema || '.' || table_name as name from information_schema.columns
        where table_schema in ('gateway', 'trading', 'market_data')
          and column_name in ('user_id', 'account', 'session_id', 'actor', 'email', 'owner_id', 'made_by', 'subject')`,
    )
    const known = new Set([
      ...TABLES.map(({ table }) => table),
      ...Object.keys(GATEWAY_EXEMPT),
      ...Object.keys(TRADING_EXEMPT),
    ])
    expect(found.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([])
  })

  test('no column that holds a hash, a token or a secret is exported', () => {
    for (const { table, columns } of GATEWAY_TABLES)
      for (const column of columns)
        expect([table, column, /hash|secret|token|password|wrapped|sealed/.test(column)]).toEqual([
          table,
          column,
          false,
        ])
  })
})

describe('GET /api/privacy/export', () => {
  test('is a zip of JSON with every row about the user of every service, and of nobody else', async () => {
    const [ada, other] = [await person(), await person()]
    const shown = TABLES.filter(({ columns }) => columns.length > 0)
    const usage = shown.find(({ table }) => table === 'gateway.usage')!
    await until('her requests are counted', async () => (await counted(usage, ada.id)) > 0)
    // some are written while she reads
    const before = await Promise.all(shown.map((table) => counted(table, ada.id)))
    const files = await exported(ada.token)
    for (const [n, table] of shown.entries()) {
      const rows = JSON.parse(files[`${table.table.replace('.', '/')}.json`]!) as unknown[]
      const after = await counted(table, ada.id)
      expect([table.table, rows.length >= before[n]!, rows.length <= after]).toEqual([table.table, true, true])
    }
    expect(JSON.parse(files['gateway/users.json']!)).toMatchObject([{ id: ada.id, email: ada.email, name: ada.name }])
    for (const name of ['trading/orders', 'trading/journal', 'trading/purchase', 'gateway/api_keys', 'gateway/audit'])
      expect(JSON.parse(files[`${name}.json`]!).length).toBeGreaterThan(0)
    const all = Object.values(files).join('\n')
    for (const foreign of [other.id, other.email, other.name]) expect(all).not.toContain(foreign)
    for (const secret of ['$argon2id', ada.key, 'assayr_', ada.refresh, 's1.']) expect(all).not.toContain(secret)
    const about = JSON.parse(files['about.json']!)
    expect(Object.keys(about.files).sort()).toEqual(
      Object.keys(files)
        .filter((name) => name !== 'about.json')
        .sort(),
    )
  })

  test('what is longer than a page is there once, row by row', async () => {
    const ada = await person()
    await db.query(
      `insert into gateway.known_addresses (user_id, address, seen_at)
       select $1::uuid, 'n' || n, now() from generate_series(1, 650) n`,
      [ada.id],
    )
    // of another service too, whose pages travel as requests
    await db.query(
      `insert into trading.idempotency (tenant, user_id, route, key, body_hash, subject)
       select 'default', $1, 'route' || n, 'k', 'h', 's' from generate_series(1, 450) n`,
      [ada.id],
    )
    const files = await exported(ada.token)
    for (const [file, column, least] of [
      ['gateway/known_addresses.json', 'address', 650],
      ['trading/idempotency.json', 'route', 450],
    ] as const) {
      const rows = JSON.parse(files[file]!) as Record<string, string>[]
      expect(new Set(rows.map((row) => row[column])).size).toBe(rows.length)
      expect(rows.length).toBeGreaterThanOrEqual(least)
    }
  })

  test('one that its reader leaves makes room for the next, and two of one user at once are one', async () => {
    const ada = await person()
    await db.query(
      `insert into gateway.known_addresses (user_id, address, seen_at)
       select $1::uuid, md5(n::text) || md5((-n)::text), now() from generate_series(1, 60000) n`,
      [ada.id],
    )
    const ask = async () => {
      const leaving = new AbortController()
      const answer = await fetch(`${world.url}/api/privacy/export`, {
        headers: { authorization: `Bearer ${ada.token}`, 'x-forwarded-for': '198.18.0.2' },
        signal: leaving.signal,
      })
      return { status: answer.status, headers: answer.headers, leave: () => leaving.abort() }
    }
    const left = await ask()
    expect(left.status).toBe(200)
    const second = await ask()
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '10'])
    left.leave()
    const next = async () => {
      const answer = await ask()
      answer.leave()
      return answer.status === 200
    }
    await until('the first one is over', next, 45_000)
  }, 60_000)

  test('is for the user alone, logged in: no API key, no other user; an operator asks for one of the tenant', async () => {
    const [ada, other] = [await person(), await person()]
    const status = async (credential: string | null, query = '') =>
      (await world.send('GET', `/api/privacy/export${query}`, { credential })).status
    expect(await status(null)).toBe(401)
    expect(await status(ada.key)).toBe(403)
    expect(await status(other.token, `?user_id=${ada.id}`)).toBe(403)
    expect(await status(await operator(), `?user_id=${crypto.randomUUID()}`)).toBe(404)
    const files = await exported(await operator(), `?user_id=${ada.id}`)
    expect(files['gateway/users.json']).toContain(ada.email)
  })
})

describe('POST /api/privacy/erase', () => {
  const erase = (credential: string | null, body: object) =>
    world.send('POST', '/api/privacy/erase', { credential, body })

  test('needs the password again, and is not for API keys or for other users', async () => {
    const [ada, other] = [await person(), await person()]
    expect((await erase(null, { password: PASSWORD })).status).toBe(401)
    expect((await erase(ada.token, { password: 'wrong password' })).body).toMatchObject({
      status: 401,
      field: 'password',
    })
    expect((await erase(ada.key, { password: PASSWORD })).status).toBe(403)
    expect((await erase(other.token, { password: PASSWORD, user_id: ada.id })).status).toBe(403)
    expect((await erase(ada.token, {})).body).toMatchObject({ status: 422, field: 'password' })
    expect((await world.send('GET', '/api/auth/check', { credential: ada.token })).status).toBe(200)
  })

  test('leaves nothing in the database that says who it was, and money and verdicts as they were', async () => {
    const ada = await person()
    const [before] = await db.query('select * from gateway.users where id = $1', [ada.id])
    const [key] = await db.query('select * from gateway.user_keys where user_id = $1', [ada.id])
    const kept = async () =>
      JSON.stringify(
        await Promise.all([
          db.query('select id, user_id, amount, currency, status from trading.purchase where user_id = $1', [ada.id]),
          db.query(
            'select hash from trading.journal j join trading.assessment a on a.id = j.account where user_id = $1',
            [ada.id],
          ),
        ]),
      )
    const books = await kept()
    const done = await erase(ada.token, { password: PASSWORD })
    expect(done.body).toMatchObject({ success: true, user_id: ada.id })

    for (const credential of [ada.token, ada.key])
      expect((await world.send('GET', '/api/auth/check', { credential })).status).toBe(401)
    const refresh = await world.send('POST', '/api/auth/refresh', { body: { refresh_token: ada.refresh } })
    expect(refresh.status).toBe(401)
    const again = await world.send('POST', '/api/auth/login', { body: { email: ada.email, password: PASSWORD } })
    expect(again.status).toBe(401)

    await until('trading has heard of it', async () => (await counted(TRADING_TABLES.at(-1)!, ada.id)) === 0)
    const text = await dump()
    for (const personal of [ada.email, ada.name, ada.key.slice(6)])
      expect([personal, text.includes(personal)]).toEqual([personal, false])
    expect(text.includes(ada.id)).toBe(true)
    expect(await kept()).toBe(books)

    // what a copy of the row from before holds opens by the key alone, which is in no table any more
    expect(await db.query('select 1 from gateway.user_keys where user_id = $1', [ada.id])).toEqual([])
    expect(text.includes(key!.wrapped as string)).toBe(false)
    for (const column of ['email', 'name']) expect(before![column]).toMatch(/^s1\./)
  })

  test('lets the same e-mail register again, as somebody else', async () => {
    const ada = await person()
    await erase(ada.token, { password: PASSWORD })
    const { user } = await world.take<{ user: { id: string } }>('POST', '/api/auth/register', {
      body: { email: ada.email, password: PASSWORD },
    })
    expect(user.id).not.toBe(ada.id)
  })

  test('an operator erases a user of the tenant by the own password, once; the last operator stays', async () => {
    const ada = await person()
    const token = await operator()
    expect((await erase(token, { password: PASSWORD, user_id: ada.id })).status).toBe(401)
    expect((await erase(token, { password: OPERATOR.password, user_id: ada.id })).status).toBe(200)
    expect((await erase(token, { password: OPERATOR.password, user_id: ada.id })).status).toBe(404)
    expect((await world.send('GET', '/api/auth/check', { credential: ada.token })).status).toBe(401)
    expect((await erase(token, { password: OPERATOR.password })).body).toMatchObject({ status: 409, code: 'conflict' })
    expect((await world.send('GET', '/api/auth/check', { credential: token })).status).toBe(200)
  })
})
