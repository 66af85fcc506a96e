import { afterAll, beforeAll, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { newPerson } from '../testing/person.ts'
import { openWorld, problem, UNLIMITED, type World } from '../testing/world.ts'

const MINUTE = 60_000

describeAdapters('refresh', databases, (openDatabase) => {
  let world: World
  beforeAll(async () => {
    world = await openWorld(UNLIMITED, await openDatabase())
  }, 30_000)
  afterAll(() => world.database.drop())
  const check = (token?: string) => world.ask('GET', '/api/auth/check', { token })

  test('each refresh token is good once, and its answer carries the next', async () => {
    const { login, refresh } = await newPerson(world)
    let { refresh_token } = (await login()).body
    for (let i = 0; i < 3; i++) {
      const answer = await refresh(refresh_token)
      expect(answer.body).toEqual({
        success: true,
        token: expect.any(String),
        refresh_token: expect.any(String),
        expires_in: 900,
      })
      expect((await check(answer.body.token)).status).toBe(200)
      expect(answer.body.refresh_token).not.toBe(refresh_token)
      refresh_token = answer.body.refresh_token
    }
  })

  test('reuse of an old token ends the whole family at once, is audited and announced', async () => {
    const { id, login, refresh } = await newPerson(world)
    const first = (await login()).body
    const second = (await refresh(first.refresh_token)).body
    const third = (await refresh(second.refresh_token)).body
    expect((await check(third.token)).status).toBe(200)
    expect(problem(await refresh(first.refresh_token))).toMatchObject({ status: 401, code: 'unauthorized' })
    for (const { token } of [first, second, third]) expect((await check(token)).status).toBe(401)
    expect((await refresh(third.refresh_token)).status).toBe(401)
    expect((await world.events('audit.recorded')).at(-1)).toMatchObject({
      action: 'session.reuse_detected',
      actor: id,
    })
    expect((await world.events('identity.revoked')).at(-1)).toMatchObject({ what: 'session', user_id: id })
  })

  test('a client whose answer was lost gets the same next token for 10 s, however often and at once it asks', async () => {
    const { login, refresh } = await newPerson(world)
    const { refresh_token } = (await login()).body
    const answers = await Promise.all([1, 2, 3, 4].map(() => refresh(refresh_token)))
    world.time.now += 9_000
    answers.push(await refresh(refresh_token))
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1)
    expect((await refresh(answers[0]!.body.refresh_token)).status).toBe(200)
  })

  test('later, or from another client, the same repeat is theft', async () => {
    const late = await newPerson(world)
    const lateFirst = (await late.login()).body
    const lateNext = (await late.refresh(lateFirst.refresh_token)).body
    world.time.now += 10_001
    expect((await late.refresh(lateFirst.refresh_token)).status).toBe(401)
    expect((await check(lateNext.token)).status).toBe(401)

    for (const other of [{ userAgent: 'thief/1' }, { address: '198.51.100.7' }]) {
      const { login, refresh } = await newPerson(world)
      const first = (await login()).body
      const next = (await refresh(first.refresh_token)).body
      expect((await refresh(first.refresh_token, other)).status).toBe(401)
      expect((await check(next.token)).status).toBe(401)
    }
  })

  test('a session ends after 30 minutes without a refresh (V7.3.1)', async () => {
    const { login, refresh } = await newPerson(world)
    const { refresh_token } = (await login()).body
    world.time.now += 30 * MINUTE - 1
    const next = await refresh(refresh_token)
    expect(next.status).toBe(200)
    world.time.now += 30 * MINUTE
    expect((await refresh(next.body.refresh_token)).status).toBe(401)
  })

  test('a session ends 12 hours after its login, however busy, and no token outlives it (V7.3.2)', async () => {
    const { login, refresh } = await newPerson(world)
    let tokens = (await login()).body
    for (let minutes = 20; minutes < 720; minutes += 20) {
      world.time.now += 20 * MINUTE
      tokens = (await refresh(tokens.refresh_token)).body
    }
    world.time.now += 10 * MINUTE
    tokens = (await refresh(tokens.refresh_token)).body
    expect(tokens.expires_in).toBeLessThanOrEqual(600)
    world.time.now += 10 * MINUTE
    expect((await check(tokens.token)).status).toBe(401)
    expect((await refresh(tokens.refresh_token)).status).toBe(401)
  })

  test('an unknown refresh token, an access token and an empty body are refused', async () => {
    const { login, refresh } = await newPerson(world)
    const { token } = (await login()).body
    expect((await refresh('assayr_unknown')).status).toBe(401)
    expect((await refresh(token.slice(0, 200))).status).toBe(401)
    expect(problem(await world.ask('POST', '/api/auth/refresh', { body: {} }))).toMatchObject({
      status: 422,
      field: 'refresh_token',
    })
  })
})
