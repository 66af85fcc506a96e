import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { until } from '@assay/core/testing/until'
import { newPerson, PASSWORD, type Person } from '../testing/person.ts'
import { openWorld, said, UNLIMITED, type World } from '../testing/world.ts'

const NEW_PASSWORD = 'another horse battery'

describeAdapters('users', databases, (openDatabase) => {
  let world: World
  let house: Person
  let operator: Person
  let admin: Person
  let trader: Person
  let stranger: Person
  beforeAll(async () => {
    world = await openWorld(UNLIMITED, await openDatabase())
    house = await newPerson(world, { role: 'operator' })
    operator = await newPerson(world, { role: 'operator', tenant: 'firm' })
    admin = await newPerson(world, { role: 'admin', tenant: 'firm' })
    trader = await newPerson(world, { tenant: 'firm', name: 'Ada' })
    stranger = await newPerson(world, { role: 'operator', tenant: 'rival' })
  })
  afterAll(() => world.database.drop())

  const check = (person: Person) => person.ask('GET', '/api/auth/check')
  const actions = async (user: string) =>
    (await world.events('audit.recorded'))
      .filter(({ detail }) => (detail as { user?: string }).user === user)
      .map(({ action, actor, tenant }) => ({ action, actor, tenant }))

  describe('the own profile', () => {
    test('is the own, with the plan of the tenant, and says nothing of a password', async () => {
      const { status, body } = await trader.ask('GET', '/api/users/me')
      expect(status).toBe(200)
      expect(body).toEqual({
        id: trader.id,
        email: trader.email,
        name: 'Ada',
        role: 'trader',
        tenant: 'firm',
        plan: 'standard',
        email_verified: false,
        pending_email: null,
        created_at: expect.any(String),
      })
      expect(said(await world.ask('GET', '/api/users/me'))).toBe('401 unauthorized')
    })
    test('the name changes at once, and no role, tenant or plan with it', async () => {
      const person = await newPerson(world)
      const changed = await person.ask('PATCH', '/api/users/me', { name: 'Grace Hopper' })
      expect(changed.body).toMatchObject({ name: 'Grace Hopper' })
      expect((await check(person)).body.user.name).toBe('Grace Hopper')
      for (const more of [{ role: 'operator' }, { tenant: 'firm' }, { plan: 'pro' }, { email_verified: true }])
        expect(said(await person.ask('PATCH', '/api/users/me', { name: 'X', ...more }))).toStartWith('422')
      expect(said(await person.ask('PATCH', '/api/users/me', {}))).toStartWith('422')
      expect((await person.ask('GET', '/api/users/me')).body).toMatchObject({
        name: 'Grace Hopper',
        role: 'trader',
        tenant: 'default',
      })
    })
    test('a new password wants the current one (V6.2.2, V6.2.3), ends every session (V7.4.3) and leaves API keys', async () => {
      const person = await newPerson(world)
      const [first, key] = [person.token, (await person.ask('POST', '/api/api-keys', { name: 'k' })).body.key]
      await person.login()
      const change = (body: object) => person.ask('PATCH', '/api/users/me', body)
      expect(said(await change({ password: NEW_PASSWORD }))).toBe('422 validation_failed current_password')
      expect(said(await change({ password: NEW_PASSWORD, current_password: 'wrong password' }))).toBe(
        '401 invalid_credentials current_password',
      )
      expect(said(await change({ password: PASSWORD, current_password: PASSWORD }))).toBe(
        '422 validation_failed password',
      )
      expect(said(await change({ password: 'trustno1', current_password: PASSWORD }))).toBe(
        '422 validation_failed password',
      )
      expect((await check(person)).status).toBe(200)
      expect((await change({ password: NEW_PASSWORD, current_password: PASSWORD })).status).toBe(200)
      for (const token of [first, person.token])
        expect((await world.ask('GET', '/api/auth/check', { token })).status).toBe(401)
      expect((await world.ask('GET', '/api/auth/check', { token: key })).status).toBe(200)
      expect(said(await person.login())).toBe('401 invalid_credentials')
      expect((await person.login({ password: NEW_PASSWORD })).status).toBe(200)
      expect(await actions(person.id)).toContainEqual({
        action: 'password.changed',
        actor: person.id,
        tenant: 'default',
      })
    })
    test('a key changes no password and no e-mail, whatever it holds', async () => {
      const person = await newPerson(world)
      const { body } = await person.ask('POST', '/api/api-keys', { name: 'k', scopes: ['account:write'] })
      for (const change of [{ password: NEW_PASSWORD }, { email: 'else@assay.example' }]) {
        const asked = { token: body.key, body: { ...change, current_password: PASSWORD } }
        expect(said(await world.ask('PATCH', '/api/users/me', asked))).toStartWith('403 forbidden')
      }
      expect((await person.login()).status).toBe(200)
    })
    test('who guesses the current password is stopped as at the login', async () => {
      const person = await newPerson(world)
      const guess = (current_password: string) =>
        person.ask('PATCH', '/api/users/me', { password: NEW_PASSWORD, current_password })
      for (let i = 0; i < 5; i++) expect((await guess('wrong password')).status).toBe(401)
      expect(said(await guess(PASSWORD))).toBe('429 rate_limited')
    })
  })

  describe('operators', () => {
    test('see the users of their tenant and of no other, the house those of all', async () => {
      const idsOf = async (person: Person, query = '') =>
        ((await person.ask('GET', `/api/users?limit=500${query}`)).body.items as { id: string }[]).map(({ id }) => id)
      const firm = [operator, admin, trader].map(({ id }) => id)
      expect((await idsOf(operator)).sort()).toEqual([...firm].sort())
      expect(await idsOf(stranger)).toEqual([stranger.id])
      expect(await idsOf(house)).toEqual(expect.arrayContaining([...firm, stranger.id, house.id]))
      expect(await idsOf(operator, '&tenant=rival')).toEqual([])
      expect(await idsOf(house, '&tenant=rival')).toEqual([stranger.id])
      expect(said(await trader.ask('GET', '/api/users'))).toBe('403 forbidden')
    })
    test('find them by e-mail, role and status, and read page by page', async () => {
      const items = async (query: string) => (await operator.ask('GET', `/api/users?${query}`)).body.items
      expect(await items(`email=${trader.email.toUpperCase()}`)).toEqual([
        expect.objectContaining({ id: trader.id, email: trader.email, status: 'active', disabled_at: null }),
      ])
      expect(await items(`email=${stranger.email}`)).toEqual([])
      expect((await items('role=admin')).map(({ id }: { id: string }) => id)).toEqual([admin.id])
      expect(await items('status=disabled')).toEqual([])
      const seen: string[] = []
      for (let cursor = ''; ; ) {
        const { body } = await operator.ask('GET', `/api/users?limit=2${cursor && `&cursor=${cursor}`}`)
        seen.push(...body.items.map(({ id }: { id: string }) => id))
        if (body.next === null) break
        cursor = body.next
      }
      expect(seen).toEqual([trader, admin, operator].map(({ id }) => id))
    })
    test("another tenant's user is as absent as one that does not exist, to read and to change (V8.2.2)", async () => {
      const nobody = Bun.randomUUIDv7()
      const answers = await Promise.all(
        [trader.id, nobody].flatMap((id) => [
          stranger.ask('GET', `/api/users/${id}`),
          stranger.ask('PATCH', `/api/users/${id}`, { disabled: true }),
          stranger.ask('PATCH', `/api/users/${id}`, { tenant: 'rival' }),
        ]),
      )
      const bodies = answers.map(({ body: { request_id: _, instance: __, ...rest } }) => JSON.stringify(rest))
      expect(new Set(bodies).size).toBe(1)
      expect(answers.map(said)).toEqual(answers.map(() => '404 not_found'))
      expect((await operator.ask('GET', `/api/users/${trader.id}`)).body.status).toBe('active')
    })
    test('a disabled user is out at once: sessions, refresh, login, keys (V7.4.2); enabled again, keys work', async () => {
      const person = await newPerson(world, { tenant: 'firm' })
      const { key } = (await person.ask('POST', '/api/api-keys', { name: 'k' })).body
      const { refresh_token } = (await person.login()).body
      const byKey = () => world.ask('GET', '/api/auth/check', { token: key })
      expect([(await check(person)).status, (await byKey()).status]).toEqual([200, 200])

      const disabled = await operator.ask('PATCH', `/api/users/${person.id}`, { disabled: true })
      expect(disabled.body).toMatchObject({ id: person.id, status: 'disabled', disabled_at: expect.any(String) })
      expect([(await check(person)).status, (await byKey()).status]).toEqual([401, 401])
      expect((await world.ask('POST', '/api/auth/refresh', { body: { refresh_token } })).status).toBe(401)
      expect(said(await person.login())).toBe('401 invalid_credentials')
      expect(await world.events('identity.revoked')).toContainEqual(
        expect.objectContaining({ what: 'user', user_id: person.id }),
      )

      expect((await operator.ask('PATCH', `/api/users/${person.id}`, { disabled: false })).body.status).toBe('active')
      expect((await byKey()).status).toBe(200)
      expect((await check(person)).status).toBe(401)
      expect((await person.login()).status).toBe(200)
      expect(await actions(person.id)).toEqual(
        ['user.disabled', 'user.enabled'].map((action) => ({ action, actor: operator.id, tenant: 'firm' })),
      )
    })
    test('a token of another role ends with it, and the next one says the new role', async () => {
      const person = await newPerson(world, { role: 'operator', tenant: 'firm' })
      const { refresh_token } = (await person.login()).body
      const key = (await person.ask('POST', '/api/api-keys', { name: 'k', scopes: ['users:read'] })).body.key
      expect((await person.ask('GET', '/api/users')).status).toBe(200)
      expect((await admin.ask('PATCH', `/api/users/${person.id}`, { role: 'trader' })).status).toBe(200)
      expect((await person.ask('GET', '/api/users')).status).toBe(401)
      expect(said(await world.ask('GET', '/api/users', { token: key }))).toBe('403 forbidden')
      const from = { body: { refresh_token }, address: person.address }
      person.token = (await world.ask('POST', '/api/auth/refresh', from)).body.token
      expect((await check(person)).body.user.role).toBe('trader')
      expect(said(await person.ask('GET', '/api/users'))).toBe('403 forbidden')
    })
    test('only an admin of the tenant, or the house, makes operators and changes them', async () => {
      const person = await newPerson(world, { tenant: 'firm' })
      const promote = (by: Person, role: string) => by.ask('PATCH', `/api/users/${person.id}`, { role })
      for (const role of ['operator', 'admin']) expect(said(await promote(operator, role))).toBe('403 forbidden role')
      expect((await promote(operator, 'bot')).body.role).toBe('bot')
      expect((await promote(admin, 'operator')).body.role).toBe('operator')
      for (const change of [{ disabled: true }, { role: 'trader' }])
        expect(said(await operator.ask('PATCH', `/api/users/${person.id}`, change))).toBe('403 forbidden role')
      expect((await promote(house, 'admin')).body.role).toBe('admin')
      expect((await promote(admin, 'trader')).body.role).toBe('trader')
      expect(said(await promote(house, 'service'))).toBe('422 validation_failed role')
    })
    test('nobody changes the own role, tenant or access', async () => {
      for (const [field, value] of Object.entries({ role: 'trader', tenant: 'firm', disabled: true }))
        expect(said(await house.ask('PATCH', `/api/users/${house.id}`, { [field]: value }))).toBe(
          `403 forbidden ${field}`,
        )
      expect((await check(house)).status).toBe(200)
    })
    test('only the house moves users between tenants, into those that exist; the token of the old one ends', async () => {
      const person = await newPerson(world, { tenant: 'firm' })
      const move = (by: Person, tenant: string) => by.ask('PATCH', `/api/users/${person.id}`, { tenant })
      expect(said(await move(admin, 'rival'))).toBe('403 forbidden tenant')
      expect(said(await move(house, 'nowhere'))).toBe('422 validation_failed tenant')
      expect((await move(house, 'rival')).body.tenant).toBe('rival')
      expect((await check(person)).status).toBe(401)
      expect((await operator.ask('GET', `/api/users/${person.id}`)).status).toBe(404)
      expect((await stranger.ask('GET', `/api/users/${person.id}`)).status).toBe(200)
    })
    test('who asks to change nothing, or something that is not for operators to change, is told', async () => {
      const patch = (body: object) => operator.ask('PATCH', `/api/users/${trader.id}`, body)
      expect(said(await patch({}))).toStartWith('422 validation_failed')
      for (const body of [{ email: 'x@y.example' }, { password: 'x' }, { disabled: true, name: 'x' }])
        expect(said(await patch(body))).toStartWith('422 validation_failed')
      expect((await operator.ask('GET', `/api/users/${trader.id}`)).body).toMatchObject({ status: 'active' })
    })
    test('unlocking forgets the failed logins of a user, from wherever they came', async () => {
      const person = await newPerson(world, { tenant: 'firm' })
      for (let i = 0; i < 5; i++) await person.login({ password: 'wrong password' })
      expect(said(await person.login())).toBe('429 rate_limited')
      expect((await operator.ask('PATCH', `/api/users/${person.id}`, { unlock: true })).status).toBe(200)
      expect((await person.login()).status).toBe(200)
      expect(await actions(person.id)).toContainEqual({ action: 'user.unlocked', actor: operator.id, tenant: 'firm' })
    })
  })
})

describeAdapters('the last operators of the house', databases, (openDatabase) => {
  let world: World
  let one: Person
  let other: Person
  beforeAll(async () => {
    world = await openWorld(UNLIMITED, await openDatabase())
    one = await newPerson(world, { role: 'operator' })
    other = await newPerson(world, { role: 'admin' })
    const { items } = (await one.ask('GET', '/api/users?role=operator')).body as { items: { id: string }[] }
    // the first operator of the platform is not one of the two
    const first = items.find(({ id }) => id !== one.id)!
    expect((await one.ask('PATCH', `/api/users/${first.id}`, { disabled: true })).status).toBe(200)
  })
  afterAll(() => world.database.drop())
  const living = () =>
    world.database.db.query<{ id: string }>(
      `select id from gateway.users where tenant = 'default' and role in ('operator', 'admin') and disabled_at is null`,
    )
  /** Until the request is answered, or waits for a row that a transaction under way has locked. */
  const answeredOrWaiting = async (answered: () => boolean) => {
    if (world.database.db.kind === 'pglite') return
    await until('it waits', async () => {
      const waiting = await world.database.db.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      return answered() || waiting.length > 0
    })
  }

  test('who is being disabled at this moment takes nobody out: the change under way is waited for', async () => {
    expect((await other.ask('GET', '/api/users/me')).status).toBe(200)
    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const underWay = world.database.db.as('gateway').tx(async (sql) => {
      await sql.query('update users set disabled_at = now() where id = $1', [other.id])
      begin()
      await held
    })
    await begun
    let answered = false
    const asked = other.ask('PATCH', `/api/users/${one.id}`, { disabled: true }).finally(() => {
      answered = true
    })
    await answeredOrWaiting(() => answered)
    release()
    await underWay
    expect(said(await asked)).toBe('403 forbidden')
    expect(await living()).toEqual([{ id: one.id }])
    expect((await one.ask('PATCH', `/api/users/${other.id}`, { disabled: false })).status).toBe(200)
  })
  test('two who take each other out at the same time do not both succeed: one operator stays', async () => {
    await Promise.all([one.login(), other.login()])
    const answers = await Promise.all([
      one.ask('PATCH', `/api/users/${other.id}`, { disabled: true }),
      other.ask('PATCH', `/api/users/${one.id}`, { role: 'trader' }),
    ])
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const [left, ...more] = await living()
    expect(more).toEqual([])
    const survivor = left!.id === one.id ? one : other
    expect((await survivor.ask('GET', '/api/users')).status).toBe(200)
  })
})
