import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import type { World } from '../../testing/world.ts'
import { sweepOAuth } from '../sweep-oauth.ts'
import { claimsOf, newPkce } from '../testing/browser.ts'
import { BASE, type OAuthWorld, openOAuth, PASSWORD, REDIRECT } from '../testing/oauth-world.ts'

const SECOND = 1_000

describeAdapters('OAuth: tokens', databases, (openDatabase) => {
  let oauth: OAuthWorld
  let world: World
  let clientId: string
  beforeAll(async () => {
    oauth = await openOAuth(await openDatabase())
    world = oauth.world
    clientId = oauth.clientId
  }, 60_000)
  afterAll(() => world.database.drop())

  describe('codes', () => {
    test('are good for a minute (V10.4.3)', async () => {
      const { email } = await oauth.person()
      const grant = await oauth.authorize(email)
      world.time.now += 60 * SECOND
      expect((await oauth.exchange(grant)).body.error).toBe('invalid_grant')
    })

    test('are good once, also when two bring one at a time; the second use ends what the first gave, at once (V10.4.2)', async () => {
      const { email } = await oauth.person()
      const grant = await oauth.authorize(email)
      const answers = await Promise.all([oauth.exchange(grant), oauth.exchange(grant)])
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 400])
      const { body } = answers.find(({ status }) => status === 200)!
      expect((await oauth.check(body.access_token)).status).toBe(401)
      expect((await oauth.refresh(body.refresh_token)).body.error).toBe('invalid_grant')
      expect((await oauth.audited('oauth.code_misused')).at(-1)).toMatchObject({ detail: { client: clientId } })
    })

    test('without the verifier, the client or the address of the request they give nothing, and are burnt (V10.4.6)', async () => {
      const wrongs: Record<string, string>[] = [
        { code_verifier: newPkce().verifier },
        { client_id: 'assayc_other' },
        { redirect_uri: 'http://127.0.0.1/cb' },
        { resource: `${BASE}/mcp` },
      ]
      for (const wrong of wrongs) {
        const { email } = await oauth.person()
        const grant = await oauth.authorize(email)
        expect((await oauth.exchange(grant, wrong)).body.error).toBe('invalid_grant')
        expect((await oauth.exchange(grant)).body.error).toBe('invalid_grant')
      }
    })

    test('need a verifier, and parameters that come once (V10.4.6)', async () => {
      const { email } = await oauth.person()
      const { code } = await oauth.authorize(email)
      const fields: [string, string][] = [
        ['grant_type', 'authorization_code'],
        ['client_id', clientId],
        ['code', code],
      ]
      expect((await oauth.form('/oauth/token', fields)).body).toMatchObject({ error: 'invalid_request' })
      expect((await oauth.form('/oauth/token', [...fields, ['code_verifier', 'short']])).body.error).toBe(
        'invalid_request',
      )
      expect((await oauth.form('/oauth/token', [...fields, ['client_id', clientId]])).body.error).toBe(
        'invalid_request',
      )
      expect((await oauth.form('/oauth/token', [['grant_type', 'password'], ...fields.slice(1)])).body.error).toBe(
        'unsupported_grant_type',
      )
      expect((await oauth.form('/oauth/token', fields.slice(1))).body.error).toBe('invalid_request')
    })

    test('are stored as a hash only', async () => {
      const { email } = await oauth.person()
      const { code } = await oauth.authorize(email)
      const rows = await world.database.db.as('gateway').query('select * from oauth_codes')
      expect(rows.length).toBeGreaterThan(0)
      expect(JSON.stringify(rows)).not.toContain(code)
    })
  })

  describe('refresh', () => {
    test('gives the next pair; a lost answer can be asked for again by the same client; any other reuse ends the family (V10.4.5)', async () => {
      const { refresh_token, access_token } = await oauth.granted()
      const second = (await oauth.refresh(refresh_token)).body
      expect(second.scope).toBe('market:read trading:read orders:write')
      expect((await oauth.refresh(refresh_token)).body.refresh_token).toBe(second.refresh_token)
      const thief = await oauth.refresh(refresh_token, {}, '198.51.100.9')
      expect(thief).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
      for (const token of [access_token, second.access_token]) expect((await oauth.check(token)).status).toBe(401)
      expect((await oauth.refresh(second.refresh_token)).body.error).toBe('invalid_grant')
    })

    test('can ask for less, never for more, and a wrong question does not use the token up', async () => {
      const { refresh_token } = await oauth.granted()
      expect((await oauth.refresh(refresh_token, { scope: 'market:read trading:write' })).body.error).toBe(
        'invalid_scope',
      )
      expect((await oauth.refresh(refresh_token, { resource: `${BASE}/mcp` })).body.error).toBe('invalid_target')
      const less = (await oauth.refresh(refresh_token, { scope: 'market:read' })).body
      expect(less.scope).toBe('market:read')
      expect(claimsOf(less.access_token).scope).toBe('market:read')
      expect((await oauth.refresh(less.refresh_token)).body.scope).toBe('market:read trading:read orders:write')
    })

    test("is for the client it was given to, and a client's token opens no session of its user", async () => {
      const { refresh_token } = await oauth.granted()
      expect((await oauth.refresh(refresh_token, { client_id: 'assayc_other' })).body.error).toBe('invalid_grant')
      const own = await world.ask('POST', '/api/auth/refresh', { body: { refresh_token } })
      expect(own.status).toBe(401)
      const { email } = await oauth.person()
      const login = await world.ask('POST', '/api/auth/login', {
        body: { email, password: PASSWORD },
        address: oauth.newAddress(),
      })
      expect((await oauth.refresh(login.body.refresh_token)).body.error).toBe('invalid_grant')
      expect((await oauth.refresh(refresh_token)).status).toBe(200)
    })

    test('gives what the role holds now', async () => {
      const { id, refresh_token } = await oauth.granted({ scope: 'market:read trading:write' })
      await world.database.db.as('gateway').query(`update users set role = 'bot' where id = $1`, [id])
      expect((await oauth.refresh(refresh_token)).body.scope).toBe('market:read')
    })

    test('ends after half an hour idle, and with the session after twelve hours (V7.6.1, V10.4.8)', async () => {
      const idle = await oauth.granted()
      world.time.now += 30 * 60 * SECOND
      expect((await oauth.refresh(idle.refresh_token)).body.error).toBe('invalid_grant')
      let { refresh_token } = await oauth.granted()
      let ended = false
      for (let minutes = 0; minutes < 13 * 60 && !ended; minutes += 25) {
        world.time.now += 25 * 60 * SECOND
        const { status, body } = await oauth.refresh(refresh_token)
        ended = status !== 200
        if (!ended) refresh_token = body.refresh_token
        else expect(minutes + 25).toBeGreaterThanOrEqual(12 * 60)
      }
      expect(ended).toBe(true)
    })
  })

  describe('revocation', () => {
    test('of either token ends both at once', async () => {
      for (const kind of ['access_token', 'refresh_token'] as const) {
        const tokens = await oauth.granted()
        expect((await oauth.check(tokens.access_token)).status).toBe(200)
        const answer = await oauth.form('/oauth/revoke', { client_id: clientId, token: tokens[kind] })
        expect(answer).toMatchObject({ status: 200, body: {} })
        expect((await oauth.check(tokens.access_token)).status).toBe(401)
        expect((await oauth.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant')
        expect((await world.events('identity.revoked')).at(-1)).toMatchObject({ what: 'session', user_id: tokens.id })
      }
    })

    test('of what is not known is no error; of what is another client’s is refused and ends nothing', async () => {
      expect((await oauth.form('/oauth/revoke', { client_id: clientId, token: 'nonsense' })).status).toBe(200)
      expect((await oauth.form('/oauth/revoke', { client_id: clientId, token: 'a.b.c' })).status).toBe(200)
      const { access_token } = await oauth.granted()
      const other = await oauth.form('/oauth/revoke', { client_id: 'assayc_other', token: access_token })
      expect(other).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } })
      expect((await oauth.check(access_token)).status).toBe(200)
      const [header, , signature] = access_token.split('.') as [string, string, string]
      const forged = `${header}.${Buffer.from(JSON.stringify(claimsOf(access_token)))
        .toString('base64url')
        .slice(0, -2)}.${signature}`
      await oauth.form('/oauth/revoke', { client_id: clientId, token: forged })
      expect((await oauth.check(access_token)).status).toBe(200)
    })

    test('a logout with the token of a client ends its grant', async () => {
      const { access_token, refresh_token } = await oauth.granted()
      expect((await world.ask('POST', '/api/auth/logout', { token: access_token })).status).toBe(200)
      expect((await oauth.refresh(refresh_token)).body.error).toBe('invalid_grant')
    })

    test('a user who is disabled has no grants, codes or pages any more', async () => {
      const { email, id, access_token, refresh_token } = await oauth.granted()
      const grant = await oauth.authorize(email)
      const browser = oauth.newBrowser()
      const consent = await oauth.signIn(browser, oauth.asking({ scope: 'trading:write' }).path, email)
      await world.database.db.as('gateway').query('update users set disabled_at = now() where id = $1', [id])
      expect((await oauth.exchange(grant)).body.error).toBe('invalid_grant')
      expect((await oauth.refresh(refresh_token)).body.error).toBe('invalid_grant')
      expect((await browser.submit(consent, '/oauth/consent', { decision: 'allow' })).status).toBe(400)
      await world.restart()
      expect((await oauth.check(access_token)).status).toBe(401)
    })
  })

  test('clients that nobody used for a day, codes and pages that nobody answered are removed', async () => {
    const { email } = await oauth.person()
    const { client_id } = (await oauth.register({ redirect_uris: [REDIRECT] })).body
    await oauth.authorize(email)
    await oauth.signIn(oauth.newBrowser(), oauth.asking({ scope: 'trading:write' }).path, email)
    await oauth.granted()
    const count = async (table: string, where = 'true') =>
      (await world.database.db.as('gateway').query(`select 1 from ${table} where ${where}`)).length
    world.time.now += 25 * 3_600 * SECOND
    await sweepOAuth({
      database: world.database.db.as('gateway') as never,
      clock: { now: () => world.time.now } as never,
    })
    expect(await count('oauth_tickets')).toBe(0)
    expect(await count('oauth_codes', 'used_at is null')).toBe(0)
    expect(await count('oauth_clients', `id = '${client_id}'`)).toBe(0)
    expect(await count('oauth_clients', `id = '${clientId}'`)).toBe(1)
  })

  test('every step is told to the audit log, without codes, tokens and e-mails', async () => {
    const { id, email, access_token, refresh_token } = await oauth.granted()
    await oauth.form('/oauth/revoke', { client_id: clientId, token: refresh_token })
    const events = (await world.events('audit.recorded')).filter(({ actor }) => actor === id)
    expect(events.map(({ action }) => action)).toEqual([
      'user.created',
      'login',
      'oauth.allowed',
      'oauth.granted',
      'oauth.revoked',
    ])
    for (const secret of [email, access_token, refresh_token]) expect(JSON.stringify(events)).not.toContain(secret)
  })
})
