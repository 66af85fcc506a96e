import { expect } from 'bun:test'
import type { Ctx } from '@assay/core/kernel/context'
import { putCalendar } from '@assay/services/trading/calendars/put-calendar'
import { changeTier } from '@assay/services/trading/tiers/change-tier'
import { createTier } from '@assay/services/trading/tiers/create-tier'
import { codeNow } from './code-now.ts'
import { LISTS } from './lists.ts'
import { TIER } from './objects.ts'
import { OTHERS_STAY } from './others-stay.ts'
import { newcomer, type Person } from './people.ts'
import type { Walk } from './walk.ts'

/** What no row of the table can say, by name. */
export const BESIDE_THE_TABLE: Readonly<Record<string, (walk: Walk) => Promise<void>>> = {
  'the same Idempotency-Key of two users, and of two tenants, is two keys': async (walk) => {
    const { ann, amy, bob } = walk.people
    const ids = new Set<string>()
    for (const { token: credential, id } of [ann, amy, bob]) {
      const headers = { 'idempotency-key': 'the-same' }
      const bought = await walk.world.send('POST', '/api/purchases', {
        credential,
        headers,
        body: { tier_id: TIER.id },
      })
      expect([bought.status, bought.body?.user_id ?? id]).toEqual([201, id])
      ids.add(bought.body.id)
    }
    expect(ids.size).toBe(3)
  },
  'who may not is told so before what is wrong with the body, by operators’ routes': async (walk) => {
    const { token: credential } = walk.people.ann
    const asked = async (method: string, path: string) =>
      (await walk.world.send(method, path, { credential, body: [] })).status
    expect(await asked('POST', '/api/tiers')).toBe(403)
    expect(await asked('PATCH', `/api/tiers/${TIER.id}`)).toBe(403)
    expect(await asked('PUT', '/api/calendars/walk')).toBe(403)
  },
  'a verb asks for itself what its route has asked': async () => {
    const actor = { userId: 'u', role: 'trader', tenant: 'acme', scopes: ['trading:read'], plan: 'standard' } as const
    const ctx: Ctx = { requestId: 'r', actor, address: '127.0.0.1' }
    for (const verb of [createTier, changeTier, putCalendar])
      expect([
        verb.name,
        await verb({ ctx, input: {} as never, deps: {} as never }).catch((error) => error.code),
      ]).toEqual([verb.name, 'forbidden'])
  },
  'nobody gives a role, a tenant or a plan that is not theirs to give': async (walk) => {
    const { olga, adam, hank, amy } = walk.people
    const asked = async (who: { token: string }, [method, path, body]: readonly [string, string, object]) =>
      (await walk.world.send(method, path, { credential: who.token, body })).status
    const promote: [string, string, object] = ['PATCH', `/api/users/${amy.id}`, { role: 'operator' }]
    const move: [string, string, object] = ['PATCH', `/api/users/${amy.id}`, { tenant: 'beta' }]
    const plan: [string, string, object] = ['PATCH', '/api/tenants/acme', { plan: 'pro' }]
    const invite = (tenant?: string) => {
      const email = `boss-${crypto.randomUUID()}@new.example`
      return ['POST', '/api/invitations', { email, role: 'admin', ...(tenant && { tenant }) }] as const
    }
    expect(await Promise.all([promote, move, plan, invite()].map((request) => asked(olga, request)))).toEqual([
      403, 403, 403, 403,
    ])
    expect(await Promise.all([move, plan].map((request) => asked(adam, request)))).toEqual([403, 403])
    expect(await asked(adam, invite('beta'))).toBe(403)
    const [, guests, { email }] = invite()
    expect(await asked(olga, ['POST', guests, { email, tenant: 'beta' }])).toBe(403)
    expect(await asked(adam, invite())).toBe(201)
    expect(await asked(hank, invite('beta'))).toBe(201)
  },
  'an operator erases no other operator; the last word is an admin’s': async (walk) => {
    const { olga, adam } = walk.people
    const body = { password: olga.password, user_id: adam.id }
    expect((await walk.world.send('POST', '/api/privacy/erase', { credential: olga.token, body })).status).toBe(403)
    expect((await walk.world.send('GET', '/api/users/me', { credential: adam.token })).status).toBe(200)
  },
  'another letter to confirm an e-mail is asked for by its user, with the scope': async (walk) => {
    const asked = async (credential: string | null) =>
      (await walk.world.send('POST', '/api/auth/email/verify', { credential, body: {} })).status
    const without = await walk.credentials.of('trader', { needs: 'account:write', credential: 'without' })
    expect([await asked(null), await asked(without), await asked(walk.people.ann.token)]).toEqual([401, 403, 200])
  },
  'a key rotates no key that holds more than it': async (walk) => {
    const { ann } = walk.people
    const make = (scopes: string[]) =>
      walk.world.take<{ id: string; key: string }>('POST', '/api/api-keys', {
        credential: ann.token,
        body: { name: 'rotates', scopes },
      })
    const [weak, strong] = [await make(['keys:write']), await make(['trading:write'])]
    const rotated = await walk.world.send('POST', `/api/api-keys/${strong.id}/rotate`, {
      credential: weak.key,
      body: {},
    })
    expect(rotated.status).toBe(403)
  },
  'an invitation into a tenant leaves that of another tenant to the same e-mail': async (walk) => {
    const { olga, hank } = walk.people
    const email = `wanted-twice-${crypto.randomUUID()}@new.example`
    const invite = (credential: string, tenant: string) =>
      walk.world.take<{ id: string }>('POST', '/api/invitations', { credential, body: { email, tenant } })
    const { id } = await invite(hank.token, 'beta')
    await invite(olga.token, 'acme')
    const { items } = await walk.world.take<{ items: { id: string }[] }>('GET', '/api/invitations?tenant=beta', {
      credential: hank.token,
    })
    expect(items.map((item) => item.id)).toContain(id)
  },
  'a second factor is of its user alone: nobody else’s is turned on, asked for or spent by it': async (walk) => {
    const { world, people } = walk
    const [one, other, third] = [await newcomer(world), await newcomer(world), await newcomer(world)]
    const post = (who: Person, path: string, body: object) => world.send('POST', path, { credential: who.token, body })
    const enable = async (who: Person) =>
      (await post(who, '/api/auth/totp/enable', { password: who.password })).body.secret as string
    const codesOf = async ({ id }: Person) =>
      (await world.deps.db.query('select 1 from gateway.recovery_codes where user_id = $1', [id])).length
    const secret = await enable(one)
    await enable(other)
    // made in the same moment
    await world.deps.db.query(
      `update gateway.second_factors set created_at = f.created_at
         from gateway.second_factors f where f.user_id = $1 and second_factors.user_id = $2`,
      [one.id, other.id],
    )
    expect((await post(one, '/api/auth/totp/verify', { code: codeNow(secret) })).status).toBe(200)
    const { email, password } = other
    expect((await world.send('POST', '/api/auth/login', { body: { email, password } })).status).toBe(200)
    expect((await post(third, '/api/auth/totp/verify', { code: '000000' })).status).toBe(409)
    expect((await post(third, '/api/auth/totp/verify', { code: codeNow(await enable(third)) })).status).toBe(200)
    expect([await codesOf(one), await codesOf(other), await codesOf(third)]).toEqual([10, 0, 10])
    const renamed = { credential: people.adam.token, body: { name: 'Acme' } }
    expect((await world.send('PATCH', '/api/tenants/acme', renamed)).status).toBe(200)
  },
  'nobody but the house lifts the limits of a key': async (walk) => {
    const lifted = async ({ token: credential }: { token: string }) => {
      const body = { name: 'fast', limits: { requests_per_minute: 1_000 } }
      return (await walk.world.send('POST', '/api/api-keys', { credential, body })).status
    }
    const { ann, olga, opal } = walk.people
    expect([await lifted(ann), await lifted(olga), await lifted(opal)]).toEqual([403, 403, 201])
    const body = { name: 'makes keys', scopes: ['keys:write'] }
    const { key } = await walk.world.take<{ key: string }>('POST', '/api/api-keys', { credential: opal.token, body })
    expect(await lifted({ token: key })).toBe(403)
  },
  'an operator has no key of an admin, neither a new one nor the next': async ({ world, people }) => {
    const { olga, adam } = people
    const body = { name: 'of the admin', scopes: ['keys:write'] }
    const { id } = await world.take<{ id: string }>('POST', '/api/api-keys', { credential: adam.token, body })
    const asked = async (path: string, body: object) =>
      (await world.send('POST', path, { credential: olga.token, body })).status
    expect(await asked('/api/api-keys', { ...body, user_id: adam.id })).toBe(403)
    expect(await asked(`/api/api-keys/${id}/rotate`, {})).toBe(403)
  },
  ...LISTS,
  ...OTHERS_STAY,
}
