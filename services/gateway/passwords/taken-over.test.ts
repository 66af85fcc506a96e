import { afterAll, beforeAll, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { login } from '../auth/login.ts'
import type { GatewayDeps } from '../deps.ts'
import { verifyFactor } from '../second-factor/verify-factor.ts'
import { type Letters, openLetters } from '../testing/letters.ts'
import { appCode, newPerson, PASSWORD, type Person } from '../testing/person.ts'
import { openWorld, UNLIMITED, type World } from '../testing/world.ts'
import { changeMe } from '../users/change-me.ts'

const MINE = 'my own horse battery'
const THEIRS = 'their own horse battery'
type Work = () => Promise<unknown>

/** Somebody who knows a password, or has a session, against the one who has the mailbox. */
describeAdapters('an account that somebody else got into', databases, (openDatabase) => {
  let world: World
  let letters: Letters
  beforeAll(async () => {
    world = await openWorld(UNLIMITED, await openDatabase())
    letters = openLetters(world)
  })
  afterAll(() => world.database.drop())

  async function reset(email: string): Promise<void> {
    const address = '10.98.0.1'
    await world.ask('POST', '/api/auth/password/forgot', { body: { email }, address })
    const { token } = await letters.to(email)
    const answer = await world.ask('POST', '/api/auth/password/reset', { body: { token, password: MINE }, address })
    expect(answer.status).toBe(200)
  }
  const sessionsOf = ({ id }: Person) =>
    world.database.db.query('select 1 from gateway.sessions where user_id = $1', [id])
  /** What happens between the look at a password, or a code, and what follows from it. */
  const when = (meanwhile: Work): GatewayDeps => {
    const { hasher, totp } = world.identity
    const then = async <T>(work: Promise<T>): Promise<T> => {
      const done = await work
      await meanwhile()
      return done
    }
    return {
      ...world.identity,
      idleMs: 1_800_000,
      hasher: { ...hasher, verify: (asked) => then(hasher.verify(asked)) },
      totp: { ...totp, verifyTotp: (name, code) => then(totp.verifyTotp(name, code)) },
    }
  }
  const outcome = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error) => error.code ?? String(error),
    )
  async function ctxOf(person: Person) {
    const actor = await world.running.tokens!.verify(person.token)
    return { requestId: 'test', actor, address: person.address }
  }

  test('a change of e-mail that was asked for before a reset is void: its letter opens nothing', async () => {
    const owner = await newPerson(world)
    const body = { email: 'elsewhere@assay.example', current_password: PASSWORD }
    expect((await owner.ask('PATCH', '/api/users/me', body)).status).toBe(200)
    const { token } = await letters.to(body.email)
    await reset(owner.email)
    const confirmed = await world.ask('POST', '/api/auth/email/verify', { body: { token }, address: '10.98.0.2' })
    expect([confirmed.status, confirmed.body.field]).toEqual([422, 'token'])
    expect((await owner.login({ password: MINE })).status).toBe(200)
    expect((await owner.ask('GET', '/api/users/me')).body).toMatchObject({ email: owner.email, pending_email: null })
  })

  test('e-mail and password are changed in one request too', async () => {
    const owner = await newPerson(world)
    const body = { email: `new-${owner.email}`, password: MINE, current_password: PASSWORD }
    expect((await owner.ask('PATCH', '/api/users/me', body)).body).toMatchObject({ pending_email: body.email })
    const { token } = await letters.to(body.email)
    expect((await world.ask('POST', '/api/auth/email/verify', { body: { token } })).status).toBe(200)
  })

  test('keys from before anybody proved the e-mail end when its owner sets a password; those from after stay', async () => {
    const person = await newPerson(world)
    const key = async () => (await person.ask('POST', '/api/api-keys', { name: 'k' })).body.key as string
    const works = async (token: string) => (await world.ask('GET', '/api/auth/check', { token })).status
    const early = await key()
    expect(await works(early)).toBe(200)
    await reset(person.email)
    expect(await works(early)).toBe(401)
    const told = (await world.events('audit.recorded')).filter(({ actor }) => actor === person.id)
    expect(told.map(({ action }) => action)).toContain('api_key.revoked')
    await person.login({ password: MINE })
    const late = await key()
    await reset(person.email)
    expect(await works(late)).toBe(200)
  })

  test('who logs in with the old password while it is reset gets no session', async () => {
    const owner = await newPerson(world)
    const deps = when(() => reset(owner.email))
    const ctx = { requestId: 'test', actor: null, address: '10.98.0.3' }
    const input = { email: owner.email, password: PASSWORD, userAgent: 'test' }
    expect(await outcome(login({ ctx, input, deps }))).toBe('invalid_credentials')
    expect(await sessionsOf(owner)).toHaveLength(0)
  })

  test('who is disabled while logging in gets no session', async () => {
    const [owner, house] = [await newPerson(world), await newPerson(world, { role: 'operator' })]
    const deps = when(() => house.ask('PATCH', `/api/users/${owner.id}`, { disabled: true }))
    const ctx = { requestId: 'test', actor: null, address: '10.98.0.4' }
    const input = { email: owner.email, password: PASSWORD, userAgent: 'test' }
    expect(await outcome(login({ ctx, input, deps }))).toBe('invalid_credentials')
    expect((await house.ask('PATCH', `/api/users/${owner.id}`, { disabled: false })).status).toBe(200)
    expect(await sessionsOf(owner)).toHaveLength(0)
  })

  test('who changes the password by the old one while it is reset does not have the last word', async () => {
    const owner = await newPerson(world)
    const ctx = await ctxOf(owner)
    const deps = when(() => reset(owner.email))
    const input = { password: THEIRS, current_password: PASSWORD }
    expect(await outcome(changeMe({ ctx, input, deps }))).toBe('unauthorized')
    expect((await owner.login({ password: THEIRS })).status).toBe(401)
    expect((await owner.login({ password: MINE })).status).toBe(200)
  })

  test('a second factor is not turned on by a session that a reset ends at that moment', async () => {
    const owner = await newPerson(world)
    const { secret } = (await owner.ask('POST', '/api/auth/totp/enable', { password: PASSWORD })).body
    const ctx = await ctxOf(owner)
    const deps = when(() => reset(owner.email))
    const code = appCode(secret, world.time.now)
    expect(await outcome(verifyFactor({ ctx, input: { code }, deps }))).toBe('unauthorized')
    expect((await owner.login({ password: MINE })).status).toBe(200)
  })

  test('a second factor is not turned on by a code of a key that another one takes the place of at that moment', async () => {
    const owner = await newPerson(world)
    const enable = async () =>
      (await owner.ask('POST', '/api/auth/totp/enable', { password: PASSWORD })).body.secret as string
    const first = await enable()
    const ctx = await ctxOf(owner)
    let second = ''
    world.time.now += 1
    const deps = when(async () => {
      second = await enable()
    })
    const code = appCode(first, world.time.now)
    expect(await outcome(verifyFactor({ ctx, input: { code }, deps }))).toBe('conflict')
    expect((await owner.login()).status).toBe(200)
    const turnedOn = await owner.ask('POST', '/api/auth/totp/verify', { code: appCode(second, world.time.now) })
    expect(turnedOn.status).toBe(200)
  })

  test('a wrong current password is told the audit log as a failed login (V16.3.1)', async () => {
    const owner = await newPerson(world)
    const body = { password: MINE, current_password: 'a guess of mine' }
    expect((await owner.ask('PATCH', '/api/users/me', body)).status).toBe(401)
    const told = (await world.events('audit.recorded')).filter(({ actor }) => actor === owner.id)
    expect(told.at(-1)).toMatchObject({ action: 'login.failed', detail: { network: owner.address, kind: 'confirm' } })
  })
})
