import { afterAll, beforeAll, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { type OAuthWorld, openOAuth } from './oauth/testing/oauth-world.ts'
import { openLetters } from './testing/letters.ts'
import { appCode, newPerson, PASSWORD, withFactor } from './testing/person.ts'
import type { World } from './testing/world.ts'

describeAdapters('what is good once, brought several times at the same moment', databases, (openDatabase) => {
  let oauth: OAuthWorld
  let world: World
  beforeAll(async () => {
    oauth = await openOAuth(await openDatabase())
    world = oauth.world
  }, 60_000)
  afterAll(() => world.database.drop())
  const thrice = async (ask: () => Promise<{ status: number }>) =>
    (await Promise.all([ask(), ask(), ask()])).map(({ status }) => status).sort()

  test('a code of an authenticator, or a recovery code, lets in once (V6.5.1)', async () => {
    const person = await newPerson(world)
    const { code, recovery } = await withFactor(world, person)
    const totp = code()
    expect(await thrice(() => person.login({ totp }))).toEqual([200, 401, 401])
    world.time.now += 3_600_000
    expect(await thrice(() => person.login({ totp: recovery[0] }))).toEqual([200, 401, 401])
  })

  test('the first code of an authenticator turns it on once: one set of recovery codes', async () => {
    const person = await newPerson(world)
    const { secret } = (await person.ask('POST', '/api/auth/totp/enable', { password: PASSWORD })).body
    const codes = [-30_000, 0, 30_000].map((off) => appCode(secret, world.time.now + off))
    const answers = await Promise.all(codes.map((code) => person.ask('POST', '/api/auth/totp/verify', { code })))
    const given = answers.filter(({ status }) => status === 200).flatMap(({ body }) => body.recovery_codes)
    expect(given).toHaveLength(10)
  })

  test('an answer on the consent page gives one code', async () => {
    const { email } = await oauth.person()
    const browser = oauth.newBrowser()
    const consent = await oauth.signIn(browser, oauth.asking().path, email)
    const pages = await Promise.all(
      [1, 2, 3].map(() => browser.submit(consent, '/oauth/consent', { decision: 'allow' })),
    )
    expect(pages.map(({ status }) => status).sort()).toEqual([303, 400, 400])
  })

  test('a key is rotated once: it has one successor', async () => {
    const person = await newPerson(world)
    const { id } = (await person.ask('POST', '/api/api-keys', { name: 'k' })).body
    expect(await thrice(() => person.ask('POST', `/api/api-keys/${id}/rotate`, {}))).toEqual([201, 409, 409])
    expect((await person.ask('GET', '/api/api-keys')).body.items).toHaveLength(2)
  })

  test('a letter confirms an e-mail once', async () => {
    const letters = openLetters(world)
    const body = { email: 'once@assay.example', password: 'correct horse battery' }
    expect((await world.ask('POST', '/api/auth/register', { body })).status).toBe(201)
    const { token } = await letters.to(body.email)
    expect(await thrice(() => world.ask('POST', '/api/auth/email/verify', { body: { token } }))).toEqual([
      200, 422, 422,
    ])
  })
})
