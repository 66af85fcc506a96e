import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { SecretsError } from '@assay/core/ports/secrets/port'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { newPerson, PASSWORD, type Person, withFactor } from '../testing/person.ts'
import { type Answer, openWorld, type World } from '../testing/world.ts'

const MINUTE = 60_000
const UNLIMITED = { RATE_LIMIT_PER_MINUTE: '1000000', RATE_LIMIT_PER_HOUR: '1000000', RATE_LIMIT_PER_DAY: '1000000' }
const said = ({ status, body }: Answer) => ({ status, code: body.code, field: body.field })

describeAdapters('second factor', databases, (openDatabase) => {
  let world: World
  beforeAll(async () => {
    world = await openWorld(UNLIMITED, await openDatabase())
  })
  afterAll(() => world.database.drop())
  const scopesOf = async (token: string) =>
    (await world.ask('GET', '/api/auth/check', { token })).body.scopes as string[]
  const factor = async (person: Person) => {
    const on = await withFactor(world, person)
    // the codes of this test stand in for days of logins
    world.time.now += 24 * 60 * MINUTE
    return on
  }

  describe('an authenticator app', () => {
    test('it counts from its first code on; from then on a login needs a code, and each code is good once (V6.5.1)', async () => {
      const person = await newPerson(world)
      const made = await person.ask('POST', '/api/auth/totp/enable', { password: PASSWORD })
      expect(made.body.otpauth_url).toStartWith('otpauth://totp/Assay')
      // not on yet: nobody is locked out by an app that was never set up
      expect((await person.login()).status).toBe(200)
      expect(said(await person.ask('POST', '/api/auth/totp/verify', { code: '000000' }))).toMatchObject({ status: 401 })
      const { code } = await factor(person)
      expect(said(await person.login())).toEqual({ status: 401, code: 'second_factor_required', field: 'totp' })
      expect(said(await person.login({ totp: '12345' }))).toEqual({
        status: 422,
        code: 'validation_failed',
        field: 'totp',
      })
      const once = code()
      expect((await person.login({ totp: once })).status).toBe(200)
      expect(said(await person.login({ totp: once }))).toEqual({
        status: 401,
        code: 'invalid_credentials',
        field: 'totp',
      })
      expect((await person.login({ totp: code() })).status).toBe(200)
      expect((await world.events('audit.recorded')).map(({ action }) => action)).toContain('second_factor.enabled')
    })

    test('a wrong password with a right code is answered as any wrong password', async () => {
      const person = await newPerson(world)
      const { code } = await factor(person)
      expect(said(await person.login({ password: 'wrong password', totp: code() }))).toEqual({
        status: 401,
        code: 'invalid_credentials',
        field: undefined,
      })
    })

    test('five wrong codes make an address wait, twenty a day the account, but not where its owner is known', async () => {
      const person = await newPerson(world)
      const { code } = await factor(person)
      const guess = (address: string) => person.login({ totp: '000000' }, { address })
      for (let network = 0; network < 4; network++) {
        for (let i = 0; i < 5; i++) expect((await guess(`10.1.${network}.1`)).status).toBe(401)
        expect((await guess(`10.1.${network}.1`)).status).toBe(429)
      }
      expect((await guess('10.1.9.1')).status).toBe(429)
      expect((await person.login({ totp: code() }, { address: '10.1.9.2' })).status).toBe(429)
      expect((await person.login({ totp: code() })).status).toBe(200)
    })

    test('a recovery code of 120 bits stands in once, is stored as a hash, and is audited (V6.4.4, V6.5.2, V6.5.4)', async () => {
      const person = await newPerson(world)
      const { recovery } = await factor(person)
      expect(recovery).toHaveLength(10)
      for (const one of recovery) expect(one).toMatch(/^[a-z2-7]{6}(-[a-z2-7]{6}){3}$/)
      const rows = await world.database.db.as('gateway').query('select * from recovery_codes')
      expect(JSON.stringify(rows)).not.toContain(recovery[0]!)
      expect((await person.login({ totp: recovery[0]!.toUpperCase() })).status).toBe(200)
      expect((await person.login({ totp: recovery[0] })).status).toBe(401)
      expect((await person.login({ totp: recovery[1] })).status).toBe(200)
      const used = (await world.events('audit.recorded')).filter(({ action }) => action === 'recovery_code.used')
      expect(used.filter(({ actor }) => actor === person.id)).toHaveLength(2)
    })

    test('of racing logins with one recovery code exactly one gets in', async () => {
      const person = await newPerson(world)
      const { recovery } = await factor(person)
      const race = await Promise.all([1, 2, 3, 4].map(() => person.login({ totp: recovery[0] })))
      expect(race.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401])
    })

    test('making, replacing and turning it off want the password again, and end the other sessions (V7.4.3, V7.5.1)', async () => {
      const person = await newPerson(world)
      const elsewhere = person.token
      await person.login()
      const wrong = await person.ask('POST', '/api/auth/totp/enable', { password: 'wrong password' })
      expect(said(wrong)).toEqual({ status: 401, code: 'invalid_credentials', field: 'password' })
      const { code } = await withFactor(world, person)
      expect((await world.ask('GET', '/api/auth/check', { token: elsewhere })).status).toBe(401)
      expect((await person.ask('GET', '/api/auth/check')).status).toBe(200)
      expect(said(await person.ask('POST', '/api/auth/totp/enable', { password: PASSWORD }))).toMatchObject({
        status: 409,
      })
      const off = (body: object) => person.ask('POST', '/api/auth/totp/disable', body)
      expect(said(await off({ password: 'wrong password', code: code() }))).toMatchObject({ field: 'password' })
      expect(said(await off({ password: PASSWORD, code: '000000' }))).toMatchObject({ status: 401, field: 'totp' })
      await person.login({ totp: code() })
      const second = person.token
      await person.login({ totp: code() })
      expect((await off({ password: PASSWORD, code: code() })).status).toBe(200)
      expect((await world.ask('GET', '/api/auth/check', { token: second })).status).toBe(401)
      expect((await person.login()).status).toBe(200)
      const left = await world.identity.totp.verifyTotp(`gateway.${person.id}`, '000000').catch((error) => error)
      expect(left).toBeInstanceOf(SecretsError)
    })

    test('a password is not tried out at an open session: five wrong ones and it waits', async () => {
      const person = await newPerson(world)
      const guess = () => person.ask('POST', '/api/auth/totp/enable', { password: 'wrong password' })
      for (let i = 0; i < 5; i++) expect((await guess()).status).toBe(401)
      expect((await guess()).status).toBe(429)
    })

    test('an API key neither makes nor shows one', async () => {
      const person = await newPerson(world)
      const scopes = ['account:read', 'account:write', 'market:read']
      const { key } = (await person.ask('POST', '/api/api-keys', { name: 'bot', scopes })).body
      const ask = (path: string, body: object) => world.ask('POST', path, { body, token: key })
      expect((await ask('/api/auth/totp/enable', { password: PASSWORD })).status).toBe(403)
      expect((await ask('/api/auth/totp/verify', { code: '000000' })).status).toBe(403)
    })
  })

  describe('operators', () => {
    test('where the tenant asks for it, an operator without one may do nothing but turn it on', async () => {
      const tenant = `firm-${crypto.randomUUID().slice(0, 8)}`
      const boss = await newPerson(world, { role: 'operator', tenant })
      const trader = await newPerson(world, { tenant })
      expect(await scopesOf(boss.token)).toContain('ops:write')
      await world.database.db.as('gateway').query('update tenants set mfa_required = true where id = $1', [tenant])
      const login = await boss.login()
      expect(login.body.second_factor).toBe('enrol')
      expect(await scopesOf(boss.token)).toEqual(['account:read', 'account:write'])
      expect((await trader.login()).body.second_factor).toBeUndefined()
      expect(await scopesOf(trader.token)).toContain('orders:write')

      const { refresh_token } = login.body
      const { code } = await withFactor(world, boss)
      const from = { address: boss.address }
      const next = await world.ask('POST', '/api/auth/refresh', { body: { refresh_token }, ...from })
      expect(await scopesOf(next.body.token)).toContain('ops:write')
      const off = { password: PASSWORD, code: code() }
      expect((await boss.ask('POST', '/api/auth/totp/disable', off)).status).toBe(403)
      expect((await boss.login({ totp: code() })).body.second_factor).toBeUndefined()
    })

    test('a tenant that begins to ask is heard at the next refresh', async () => {
      const tenant = `firm-${crypto.randomUUID().slice(0, 8)}`
      const boss = await newPerson(world, { role: 'admin', tenant })
      const { refresh_token } = (await boss.login()).body
      await world.database.db.as('gateway').query('update tenants set mfa_required = true where id = $1', [tenant])
      const next = await world.ask('POST', '/api/auth/refresh', { body: { refresh_token }, address: boss.address })
      expect(await scopesOf(next.body.token)).toEqual(['account:read', 'account:write'])
    })

    test('ASSAY_REQUIRE_MFA asks for it in every tenant', async () => {
      const strict = await openWorld({ ...UNLIMITED, ASSAY_REQUIRE_MFA: 'true' }, world.database)
      strict.time.now = world.time.now
      const boss = await newPerson(strict, { role: 'operator' })
      expect((await boss.login()).body.second_factor).toBe('enrol')
    })

    test('a key from before ASSAY_REQUIRE_MFA does no act that reaches far', async () => {
      const boss = await newPerson(world, { role: 'operator' })
      const { key } = (await boss.ask('POST', '/api/api-keys', { name: 'ops', scopes: ['tenants:write'] })).body
      const create = ({ ask }: World) =>
        ask('POST', '/api/tenants', { token: key, body: { id: `t-${crypto.randomUUID().slice(0, 8)}`, name: 'New' } })
      expect((await create(world)).status).toBe(201)
      const strict = await openWorld({ ...UNLIMITED, ASSAY_REQUIRE_MFA: 'true' }, world.database)
      strict.time.now = world.time.now
      expect(said(await create(strict))).toMatchObject({ status: 403, code: 'step_up_required' })
    })

    test('a key from before the tenant asked for it does no act that reaches far either', async () => {
      const tenant = `firm-${crypto.randomUUID().slice(0, 8)}`
      const boss = await newPerson(world, { role: 'admin', tenant })
      const trader = await newPerson(world, { tenant })
      const { key } = (await boss.ask('POST', '/api/api-keys', { name: 'ops', scopes: ['users:write'] })).body
      const promote = (role: string) =>
        world.ask('PATCH', `/api/users/${trader.id}`, { token: key, body: { role }, address: boss.address })
      expect((await promote('bot')).status).toBe(200)
      await world.database.db.as('gateway').query('update tenants set mfa_required = true where id = $1', [tenant])
      expect(said(await promote('operator'))).toMatchObject({ status: 403, code: 'step_up_required' })
    })

    test('acts that reach far want a code of the last 15 minutes; a key of the same operator does not do them (V10.3.4)', async () => {
      const boss = await newPerson(world, { role: 'operator' })
      const replace = () => boss.ask('POST', '/api/auth/signing-keys')
      const { key } = (await boss.ask('POST', '/api/api-keys', { name: 'ops', scopes: ['ops:write'] })).body
      const byKey = () => world.ask('POST', '/api/auth/signing-keys', { token: key })
      // made and not on yet: there is nothing to show
      expect((await boss.ask('POST', '/api/auth/totp/enable', { password: PASSWORD })).status).toBe(200)
      expect((await replace()).status).toBe(201)
      const { code } = await withFactor(world, boss)
      expect((await replace()).status).toBe(201)
      world.time.now += 14 * MINUTE
      await boss.login({ totp: code() })
      world.time.now += 10 * MINUTE
      expect((await replace()).status).toBe(201)
      const { refresh_token } = (await boss.login({ totp: code() })).body
      world.time.now += 14 * MINUTE
      const again = await world.ask('POST', '/api/auth/refresh', { body: { refresh_token }, address: boss.address })
      boss.token = again.body.token
      world.time.now += 2 * MINUTE
      expect(said(await replace())).toMatchObject({ status: 403, code: 'step_up_required' })
      expect(said(await byKey())).toMatchObject({ status: 403, code: 'step_up_required' })
      const shown = await boss.ask('POST', '/api/auth/totp/verify', { code: code() })
      expect(shown.body).toEqual({ success: true, recovery_codes: [] })
      expect((await replace()).status).toBe(201)
    })
  })
})
