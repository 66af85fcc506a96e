import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { Param } from '@assay/core/ports/db/port'
import { SecretsError } from '@assay/core/ports/secrets/port'
import { openWorld, type World } from '../testing/world.ts'
import { applyRetention, RETENTION } from './apply-retention.ts'
import { GATEWAY_TABLES } from './tables.ts'

const DAY_MS = 86_400_000
const DOCUMENT = readFileSync(new URL('../../../docs/privacy.md', import.meta.url), 'utf8')
let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.database.drop())

/** a row of each table, whose time is `at` */
const ROWS: Record<string, (user: string, at: Date) => [string, Param[]]> = {
  'gateway.api_keys': (user, at) => [
    `insert into api_keys (id, user_id, name, hash, prefix, last4, scopes, created_at, revoked_at)
     values ($1, $2, 'n', $1::uuid::text, 'p', 'l', '{}', $3, $3)`,
    [crypto.randomUUID(), user, at],
  ],
  'gateway.devices': (user, at) => [
    `insert into devices (id, user_id, name, secret_hash, address, created_at, seen_at)
     values ($1, $2, 'n', $1::uuid::text, 'a', $3, $3)`,
    [crypto.randomUUID(), user, at],
  ],
  'gateway.pin_attempts': (user, at) => [
    `insert into pin_attempts (id, user_id, network, looked, at) values ($1, $2, 'n', true, $3)`,
    [crypto.randomUUID(), user, at],
  ],
  'gateway.invitations': (user, at) => [
    `insert into invitations (id, tenant, email_index, sealed_email, role, created_at, expires_at, user_id)
     values ($1, 'default', $1::uuid::text, 's', 'trader', $3, $3, $2)`,
    [crypto.randomUUID(), user, at],
  ],
  'gateway.second_factors': (user, at) => [
    `insert into second_factors (user_id, key_name, created_at) values ($1, $2, $3)`,
    [user, `gateway.${user}`, at],
  ],
  'gateway.letters': (user, at) => [
    `insert into letters (id, kind, user_id, created_at, expires_at, next_at) values ($1, 'k', $2, $3, $3, $3)`,
    [crypto.randomUUID(), user, at],
  ],
  'gateway.mail_tokens': (user, at) => [
    `insert into mail_tokens (hash, purpose, user_id, proof, expires_at) values ($1, 'email_verify', $2, 'p', $3)`,
    [crypto.randomUUID(), user, at],
  ],
}

test.each([...RETENTION])('$table: a row goes after $days days, and not a day before', async ({ table, days }) => {
  const db = world.database.db.as('gateway')
  const now = world.time.now
  const users = await Promise.all(
    [1, 2].map((n) =>
      world.createUser({ email: `${table}${n}@assay.example`, password: 'correct horse battery', role: 'trader' }),
    ),
  )
  const insert = (user: string, at: number) => db.query(...ROWS[table]!(user, new Date(at)))
  for (const { id } of users) await db.query('insert into pin_accounts (user_id) values ($1)', [id])
  await insert(users[0]!.id, now - days * DAY_MS)
  await insert(users[1]!.id, now - (days - 1) * DAY_MS)
  await applyRetention(world.identity)
  const left = await db.query<{ user_id: string }>(`select user_id from ${table} where user_id = any($1::uuid[])`, [
    users.map(({ id }) => id),
  ])
  expect(left).toEqual([{ user_id: users[1]!.id }])
})

test('the key of a second factor that was never turned on goes with its row', async () => {
  const { totp, database } = world.identity
  const { id } = await world.createUser({ email: 'k@assay.example', password: 'correct horse battery', role: 'trader' })
  const name = `gateway.${id}`
  await totp.createTotp(name, { issuer: 'Assay', account: 'k' })
  await database.query('insert into second_factors (user_id, key_name, created_at) values ($1, $2, $3)', [
    id,
    name,
    new Date(world.time.now - 7 * DAY_MS),
  ])
  expect(await totp.verifyTotp(name, '000000')).toBeBoolean()
  await applyRetention(world.identity)
  expect(await totp.verifyTotp(name, '000000').catch((error) => error)).toBeInstanceOf(SecretsError)
})

test('docs/privacy.md says of every table with personal data how long it is kept, and the days that are applied (V14.2.4)', () => {
  for (const { table } of GATEWAY_TABLES) expect(DOCUMENT).toContain(`| ${table} |`)
  for (const { table, days } of RETENTION) expect(DOCUMENT).toMatch(new RegExp(`\\| ${table} \\|[^\\n]*\\b${days} day`))
})
