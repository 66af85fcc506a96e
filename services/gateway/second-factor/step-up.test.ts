import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { SCOPES } from '@assay/core/contracts/scopes'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { newPerson, PASSWORD, type Person, withFactor } from '../testing/person.ts'
import { openWorld, said, UNLIMITED, type World } from '../testing/world.ts'

const MINUTE = 60_000
const SERVICES = new URL('../../', import.meta.url).pathname
const PIN_ACCOUNT = 'pin@assay.example'
const PIN_PLACE = '192.0.2.10'

/** Whom the acts are about: another operator of the house, with a key; a trader; a tenant. */
interface Others {
  mate: Person
  matesKey: string
  trader: Person
  tenant: string
}
type Ask = [method: string, path: string, body?: object]
interface Act {
  act: string
  /** where it is asked whether the factor is fresh */
  at: string
  asks(others: Others): Ask[]
  /** no API key comes so far, fresh or not */
  notByKey?: true
}
const ACTS: readonly Act[] = [
  {
    act: 'the role of another',
    at: 'users/change-user.ts',
    asks: ({ mate }) => [['PATCH', `/api/users/${mate.id}`, { role: 'trader' }]],
  },
  {
    act: 'the own e-mail, or password',
    at: 'users/change-me.ts',
    asks: ({ tenant }) => [
      ['PATCH', '/api/users/me', { email: `${tenant}@assay.example`, current_password: PASSWORD }],
      ['PATCH', '/api/users/me', { password: 'another horse battery', current_password: PASSWORD }],
    ],
    notByKey: true,
  },
  { act: 'tries for the PIN', at: 'pin/unlock-pin.ts', asks: () => [['POST', '/api/auth/pin/unlock']] },
  {
    act: 'a key of another operator',
    at: 'api-keys/issue-key.ts',
    asks: ({ mate }) => [['POST', '/api/api-keys', { name: 'of another', user_id: mate.id }]],
  },
  {
    act: 'the successor of such a key',
    at: 'api-keys/rotate-key.ts',
    asks: ({ matesKey }) => [['POST', `/api/api-keys/${matesKey}/rotate`, {}]],
  },
  {
    act: 'a new tenant',
    at: 'tenants/create-tenant.ts',
    asks: ({ tenant }) => [['POST', '/api/tenants', { id: `${tenant}-new`, name: 'New' }]],
  },
  {
    act: 'what is said of a tenant',
    at: 'tenants/change-tenant.ts',
    asks: ({ tenant }) => [['PATCH', `/api/tenants/${tenant}`, { plan: 'pro' }]],
  },
  {
    act: 'the erasure of a user',
    at: 'privacy/erase-user.ts',
    asks: ({ trader }) => [['POST', '/api/privacy/erase', { password: PASSWORD, user_id: trader.id }]],
    notByKey: true,
  },
  {
    act: 'a new signing key',
    at: 'tokens/replace-signing-key.ts',
    asks: () => [['POST', '/api/auth/signing-keys']],
  },
  {
    act: 'the invitation of an operator',
    at: 'invitations/invite.ts',
    asks: ({ tenant }) => [['POST', '/api/invitations', { email: `${tenant}@assay.example`, role: 'operator' }]],
  },
]

/** Of keys of others: it asks for those that make or replace one. */
const PASSED_ON = 'api-keys/bounds.ts'
test('every place that wants the second factor fresh has its act here', () => {
  const places = [...new Bun.Glob('**/*.ts').scanSync(SERVICES)]
    .filter((path) => !/node_modules|\.test\.ts$/.test(path))
    .flatMap((path) => {
      const asked = readFileSync(SERVICES + path, 'utf8').match(/(?<!function )require(FreshFactor|AuthorityOver)\(/g)
      return (asked ?? []).map(() => path.replace('gateway/', ''))
    })
  expect(places.sort()).toEqual([PASSED_ON, ...ACTS.map(({ at }) => at)].sort())
})

describeAdapters('an act that reaches far', databases, (openDatabase) => {
  let world: World
  beforeAll(async () => {
    const pin = { BOT_CONTROL_PIN: '839274', BOT_CONTROL_ACCOUNT: PIN_ACCOUNT, BOT_CONTROL_ADDRESSES: PIN_PLACE }
    world = await openWorld({ ...UNLIMITED, ...pin }, await openDatabase())
    await newPerson(world, { email: PIN_ACCOUNT, role: 'operator' })
  }, 60_000)
  afterAll(() => world.database.drop())

  let firms = 0
  async function others(): Promise<Others> {
    const tenant = `firm${firms++}`
    const mate = await newPerson(world, { role: 'operator' })
    const { id: matesKey } = (await mate.ask('POST', '/api/api-keys', { name: 'own' })).body
    const wrong = { body: { pin: '000001' }, address: PIN_PLACE }
    expect((await world.ask('POST', '/api/auth/login', wrong)).status).toBe(401)
    return { mate, matesKey, trader: await newPerson(world, { tenant }), tenant }
  }
  /** What is kept, but when a session or key was used last. */
  async function kept(): Promise<string> {
    const { db } = world.database
    const tables = await db.query<{ name: string }>(
      `select table_name::text as name from information_schema.tables where table_schema = 'gateway' order by 1`,
    )
    const rows: unknown[] = [(await world.ask('GET', '/.well-known/jwks.json')).body]
    for (const { name } of tables.filter(({ name }) => name !== 'sessions'))
      rows.push([name, await db.query(`select to_jsonb(t) - 'last_used_at' as row from gateway.${name} t order by 1`)])
    return JSON.stringify([...rows, await world.events('audit.recorded')])
  }

  /** Turns the second factor on; the session's code is 16 minutes old then. What makes its codes. */
  async function age(boss: Person): Promise<() => string> {
    const { code } = await withFactor(world, boss)
    const { refresh_token } = (await boss.login({ totp: code() })).body
    world.time.now += 14 * MINUTE
    const { token } = (await boss.refresh(refresh_token)).body
    world.time.now += 2 * MINUTE
    // a code shown elsewhere makes that session fresh, not this one
    expect((await boss.login({ totp: code() })).status).toBe(200)
    boss.token = token
    return code
  }

  test.each(ACTS.map((act) => [act.act, act] as const))(
    '%s: 16 minutes after the code of its session it is refused and changes nothing, as by a key; after a new one it is done (V10.3.4)',
    async (_, { asks, notByKey }) => {
      const boss = await newPerson(world, { role: 'operator' })
      const { key } = (await boss.ask('POST', '/api/api-keys', { name: 'all', scopes: SCOPES })).body
      const acts = asks(await others())
      const code = await age(boss)
      const before = await kept()
      for (const act of acts) expect(said(await boss.ask(...act))).toBe('403 step_up_required')
      for (const [method, path, body] of acts) {
        const answer = await world.ask(method, path, { token: key, body, address: boss.address })
        expect(said(answer)).toBe(notByKey ? '403 forbidden' : '403 step_up_required')
        // a key is told to log in, not to show a code
        expect(answer.body.detail).toMatch(/\blog(ged)? in\b/)
      }
      expect(await kept()).toBe(before)

      expect((await boss.ask('POST', '/api/auth/totp/verify', { code: code() })).status).toBe(200)
      for (const act of acts) {
        const between = await kept()
        expect((await boss.ask(...act)).status).toBeOneOf([200, 201])
        expect(await kept()).not.toBe(between)
      }
    },
    30_000,
  )
  test('what gives nobody the rights of an operator is done with an old code: a key or an invitation for a trader, the own name', async () => {
    const boss = await newPerson(world, { role: 'operator' })
    const { trader, tenant } = await others()
    await age(boss)
    const key = { name: 'for a trader', user_id: trader.id }
    expect((await boss.ask('POST', '/api/api-keys', key)).status).toBe(201)
    const invitation = { email: `${tenant}@assay.example` }
    expect((await boss.ask('POST', '/api/invitations', invitation)).status).toBe(201)
    expect((await boss.ask('PATCH', '/api/users/me', { name: 'Boss' })).status).toBe(200)
  }, 30_000)
})
