import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { environment } from '@assay/core/kernel/config'
import type { Ctx } from '@assay/core/kernel/context'
import { putCalendar } from '@assay/services/trading/calendars/put-calendar'
import { changeTier } from '@assay/services/trading/tiers/change-tier'
import { createTier } from '@assay/services/trading/tiers/create-tier'
import { readAccess } from '../../scripts/access/table.ts'
import { TIER } from './objects.ts'
import { openWalk, type Walk } from './walk.ts'

const { rows, problems } = await readAccess()
/** of mutants and in haste: only routes that match */
const only = new RegExp(environment().ASSAY_ACCESS_ROUTES ?? '')
const routes = [...new Set(rows.map(({ route }) => route))].filter((route) => only.test(route))

describe('docs/access.csv, walked on the platform with real objects of every party', () => {
  let walk: Walk
  beforeAll(async () => {
    walk = await openWalk()
  }, 60_000)
  afterAll(async () => {
    const { sent, refused } = walk.counted
    console.log(`${routes.length} routes, ${sent} requests, ${refused} of them refused without a change`)
    await walk.close()
  })

  test('the table is one', () => expect(problems).toEqual([]))
  test.each(routes)(
    '%s: each caller gets what the table says, refusals change nothing, nobody learns of others',
    async (route) => {
      const wrong: string[] = []
      for (const row of rows.filter((row) => row.route === route)) wrong.push(...(await walk.row(row)))
      expect(wrong).toEqual([])
    },
    60_000,
  )

  test('the same Idempotency-Key of two users, and of two tenants, is two keys', async () => {
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
  })
  test('who may not is told so before what is wrong with the body, by operators’ routes', async () => {
    const { token: credential } = walk.people.ann
    const asked = async (method: string, path: string) =>
      (await walk.world.send(method, path, { credential, body: { nonsense: true } })).status
    expect(await asked('POST', '/api/tiers')).toBe(403)
    expect(await asked('PATCH', `/api/tiers/${TIER.id}`)).toBe(403)
    expect(await asked('PUT', '/api/calendars/walk')).toBe(403)
  })
  test('a verb asks for itself what its route has asked', async () => {
    const actor = { userId: 'u', role: 'trader', tenant: 'acme', scopes: ['trading:read'], plan: 'standard' } as const
    const ctx: Ctx = { requestId: 'r', actor, address: '127.0.0.1' }
    for (const verb of [createTier, changeTier, putCalendar])
      expect([
        verb.name,
        await verb({ ctx, input: {} as never, deps: {} as never }).catch((error) => error.code),
      ]).toEqual([verb.name, 'forbidden'])
  })
  test('nobody gives a role, a tenant or a plan that is not theirs to give', async () => {
    const { olga, adam, hank, amy } = walk.people
    const asked = async (who: { token: string }, [method, path, body]: [string, string, object]) =>
      (await walk.world.send(method, path, { credential: who.token, body })).status
    const promote: [string, string, object] = ['PATCH', `/api/users/${amy.id}`, { role: 'operator' }]
    const move: [string, string, object] = ['PATCH', `/api/users/${amy.id}`, { tenant: 'beta' }]
    const plan: [string, string, object] = ['PATCH', '/api/tenants/acme', { plan: 'pro' }]
    const invite = (tenant?: string): [string, string, object] => {
      const email = `boss-${crypto.randomUUID()}@new.example`
      return ['POST', '/api/invitations', { email, role: 'admin', ...(tenant && { tenant }) }]
    }
    expect(await Promise.all([promote, move, plan, invite()].map((request) => asked(olga, request)))).toEqual([
      403, 403, 403, 403,
    ])
    expect(await Promise.all([move, plan].map((request) => asked(adam, request)))).toEqual([403, 403])
    expect([403, 404]).toContain(await asked(adam, invite('beta')))
    expect(await asked(adam, invite())).toBe(201)
    expect(await asked(hank, invite('beta'))).toBe(201)
  })
  test('nobody but an operator lifts the limits of a key', async () => {
    const lifted = async ({ token: credential }: { token: string }) => {
      const body = { name: 'fast', limits: { requests_per_minute: 1_000 } }
      return (await walk.world.send('POST', '/api/api-keys', { credential, body })).status
    }
    const { ann, olga } = walk.people
    expect([await lifted(ann), await lifted(olga)]).toEqual([403, 201])
  })
})
