import { expect } from 'bun:test'
import { until } from '@assay/core/testing/until'
import { KEYS_PER_USER } from '@assay/services/gateway/api-keys/schemas'
import { OPEN_INVITATIONS } from '@assay/services/gateway/invitations/schemas'
import { tokenTo } from '../e2e/letters.ts'
import { Objects } from './objects.ts'
import { newcomer, type Person } from './people.ts'
import type { Walk } from './walk.ts'
import type { World } from './world.ts'

const post = (world: World, { token: credential }: Person, path: string, body: object) =>
  world.send('POST', path, { credential, body })

/** What one person does, has or loses touches nobody else. */
export const OTHERS_STAY: Readonly<Record<string, (walk: Walk) => Promise<void>>> = {
  'an erasure destroys the key of nobody else': async ({ world }) => {
    const [one, other] = [await newcomer(world), await newcomer(world)]
    expect((await post(world, one, '/api/privacy/erase', { password: one.password })).status).toBe(200)
    const kept = await world.deps.db.query<{ id: string }>(
      'select user_id::text as id from gateway.user_keys where user_id in ($1, $2)',
      [one.id, other.id],
    )
    expect(kept).toEqual([{ id: other.id }])
  },
  'a bound counts one’s own keys, and the own tenant’s invitations': async ({ world, people }) => {
    const { olga, hank } = people
    const { db } = world.deps
    const [rich, poor] = [await newcomer(world), await newcomer(world)]
    const { id } = (await post(world, poor, '/api/api-keys', { name: 'first' })).body
    await db.query(
      `insert into gateway.api_keys (id, user_id, name, hash, prefix, last4, scopes, created_at)
       select gen_random_uuid(), $1::uuid, 'one of many', md5(gen_random_uuid()::text), 'p', 'l', '{}', now() from generate_series(1, $2::int)`,
      [rich.id, KEYS_PER_USER],
    )
    expect((await post(world, rich, '/api/api-keys', { name: 'too many' })).status).toBe(409)
    expect((await post(world, poor, '/api/api-keys', { name: 'second' })).status).toBe(201)
    expect((await post(world, poor, `/api/api-keys/${id}/rotate`, {})).status).toBe(201)
    await db.query('delete from gateway.api_keys where user_id = $1', [rich.id])

    const tenant = `full-${crypto.randomUUID().slice(0, 8)}`
    expect((await post(world, hank, '/api/tenants', { id: tenant, name: 'Full' })).status).toBe(201)
    await db.query(
      `insert into gateway.invitations (id, tenant, email_index, sealed_email, role, invited_by, created_at, expires_at)
       select gen_random_uuid(), $1, md5(gen_random_uuid()::text), '', 'trader', $2::uuid, now(), now() + interval '1 day' from generate_series(1, $3::int)`,
      [tenant, hank.id, OPEN_INVITATIONS],
    )
    const email = `guest-${crypto.randomUUID()}@new.example`
    expect((await post(world, hank, '/api/invitations', { email, tenant })).status).toBe(409)
    expect((await post(world, olga, '/api/invitations', { email })).status).toBe(201)
    await db.query('delete from gateway.invitations where tenant = $1', [tenant])
  },
  'the PIN of one account is unlocked, no other’s': async ({ world, people }) => {
    const { db } = world.deps
    const { id } = await newcomer(world)
    await db.query('insert into gateway.pin_accounts (user_id, locked_at) values ($1, now())', [id])
    await db.query(
      `insert into gateway.pin_attempts (id, user_id, network, looked, at) values (gen_random_uuid(), $1, 'n', true, now())`,
      [id],
    )
    expect((await post(world, people.hank, '/api/auth/pin/unlock', {})).status).toBe(200)
    const left = await db.query(
      `select 1 from gateway.pin_accounts a join gateway.pin_attempts t using (user_id)
        where a.user_id = $1 and a.locked_at is not null`,
      [id],
    )
    await db.query('delete from gateway.pin_accounts where user_id = $1', [id])
    expect(left).toHaveLength(1)
  },
  'the house shuts its own address out of another tenant, never out of its own': async ({ world, people }) => {
    const credential = people.hank.token
    const id = `shut-${crypto.randomUUID().slice(0, 8)}`
    await world.take('POST', '/api/tenants', { credential, body: { id, name: 'Shut' } })
    const shut = async (tenant: string) => {
      const body = { allow_addresses: ['203.0.113.0/24'] }
      return (await world.send('PATCH', `/api/tenants/${tenant}`, { credential, body })).status
    }
    expect([await shut(id), await shut('default')]).toEqual([200, 422])
  },
  'an invitation is worth what its inviter may give when it is accepted': async ({ world }) => {
    const { db, home } = world.deps
    const accepted = async (role: string, become: string) => {
      const inviter = await newcomer(world, 'admin')
      const email = `boss-${crypto.randomUUID()}@new.example`
      const { id } = (await post(world, inviter, '/api/invitations', { email, role })).body
      const body = { token: await tokenTo(home, email), password: 'quite a long phrase' }
      await db.query(`update gateway.users set ${become} where id = $1`, [inviter.id])
      return (await world.send('POST', `/api/invitations/${id}/accept`, { body })).status
    }
    expect(await accepted('operator', `role = 'operator'`)).toBe(404)
    expect(await accepted('trader', `tenant = 'beta'`)).toBe(404)
    expect(await accepted('operator', `role = 'admin'`)).toBe(201)
  },
  'an operator acts on the assessment of another in sight of the audit': async ({ world, people }) => {
    const { amy, olga } = people
    const id = await new Objects(world, amy).flat()
    expect((await post(world, olga, `/api/assessments/${id}/pause`, {})).status).toBe(200)
    await until('it is told', async () => {
      const list = '/api/audit?action=assessment.operated&limit=500'
      const { items } = await world.take<{ items: object[] }>('GET', list, { credential: olga.token })
      return items.some((item) => JSON.stringify(item).includes(id))
    })
  },
  'the last operator of the house stays, and who is none any more ends no other': async ({ world }) => {
    const { db } = world.deps
    const [one, other] = [await newcomer(world, 'operator', 'default'), await newcomer(world, 'operator', 'default')]
    const erase = async (body: object = {}) =>
      (await post(world, one, '/api/privacy/erase', { password: one.password, ...body })).status
    // the token still says operator
    await db.query(`update gateway.users set role = 'trader' where id = $1`, [one.id])
    expect(await erase({ user_id: other.id })).toBe(403)
    await db.query(`update gateway.users set role = 'operator' where id = $1`, [one.id])
    const others = await db.query<{ id: string }>(
      `update gateway.users set disabled_at = now()
        where tenant = 'default' and role in ('operator', 'admin') and disabled_at is null and id <> $1 returning id::text`,
      [one.id],
    )
    const last = await erase()
    for (const { id } of others) await db.query('update gateway.users set disabled_at = null where id = $1', [id])
    expect(last).toBe(409)
  },
}
