import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Db } from '@assay/core/ports/db/port'
import { openWorld as openGateway } from '@assay/services/gateway/testing/world'
import { openWorld as openTrading } from '@assay/services/trading/testing/world'
import document from '../../openapi/assay.json'

const paths = Object.entries(document.paths)
  .filter(([, methods]) => 'get' in methods)
  .map(([path]) => path)

/** Of every table that services write: how many rows, and a digest of them all. */
async function contentOf(db: Pick<Db, 'query'>): Promise<unknown> {
  // leases are renewed by themselves, and every request is counted
  const tables = await db.query<{ name: string }>(
    `select schemaname || '.' || tablename as name from pg_tables where schemaname in ('gateway', 'trading', 'bus')
       and tablename not in ('owner', 'slot', 'usage') order by 1`,
  )
  const found: Record<string, unknown> = {}
  for (const { name } of tables) {
    const [row] = await db.query<{ n: string; all: string }>(
      `select count(*)::text as n, coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as all from ${name} t`,
    )
    found[name] = row
  }
  return found
}

const closing: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const close of closing) await close()
})
let gateway: Awaited<ReturnType<typeof openGateway>>
let trading: Awaited<ReturnType<typeof openTrading>>
beforeAll(async () => {
  gateway = await openGateway({ RATE_LIMIT_PER_MINUTE: '100000' })
  closing.push(() => gateway.database.drop())
  trading = await openTrading()
  closing.push(() => trading.close())
}, 60_000)

test('no GET changes a row or tells an event: a link or an image of another page does nothing (V3.5.3)', async () => {
  const email = 'reader@x.example'
  await gateway.createUser({ email, password: 'an honest sentence 21', role: 'operator' })
  const login = await gateway.ask('POST', '/api/auth/login', { body: { email, password: 'an honest sentence 21' } })
  const made = await gateway.ask('POST', '/api/api-keys', { token: login.body.token, body: { name: 'a key' } })
  await trading.quote('2024-03-01T09:00:00Z', '30000', '30001')
  const id = await trading.started('trader:ada')
  const worlds = [
    {
      db: gateway.database.db,
      fill: made.body.id as string,
      read: (path: string) => gateway.ask('GET', path, { token: login.body.token }).catch(() => ({ status: 0 })),
    },
    { db: trading.database.db, fill: id, read: (path: string) => trading.as('trader:ada').get(path) },
  ]
  for (const { db, fill, read } of worlds) {
    const before = await contentOf(db)
    const statuses = new Set<number>()
    for (const path of paths) statuses.add((await read(path.replace(/\{[^}]*\}/g, fill))).status)
    expect([...statuses]).toContain(200)
    expect(await contentOf(db)).toEqual(before)
  }
})
