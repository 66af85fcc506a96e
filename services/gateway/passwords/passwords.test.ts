import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { type Letters, openLetters } from '../testing/letters.ts'
import { newPerson, PASSWORD, withFactor } from '../testing/person.ts'
import { openWorld, said, UNLIMITED, type World } from '../testing/world.ts'

const MINUTE = 60_000
const NEW_PASSWORD = 'another horse battery'

describeAdapters('passwords and e-mails', databases, (openDatabase) => {
  let world: World
  let letters: Letters
  let addresses = 0
  beforeAll(async () => {
    world = await openWorld(UNLIMITED, await openDatabase())
    letters = openLetters(world)
  })
  afterAll(() => world.database.drop())

  const newAddress = () => `10.99.${addresses >> 8}.${addresses++ & 255}`
  const forgot = (email: string, address = newAddress()) =>
    world.ask('POST', '/api/auth/password/forgot', { body: { email }, address })
  const reset = (token: unknown, password = NEW_PASSWORD) =>
    world.ask('POST', '/api/auth/password/reset', { body: { token, password }, address: newAddress() })
  const verify = (body: object, token?: string) =>
    world.ask('POST', '/api/auth/email/verify', { body, token, address: newAddress() })
  async function tokenFor(email: string) {
    expect((await forgot(email)).status).toBe(200)
    return (await letters.to(email)).token!
  }

  describe('a forgotten password', () => {
    test('is set anew with the token of the letter, once, and every session ends (V6.4.3, V7.4.3)', async () => {
      const person = await newPerson(world)
      const token = await tokenFor(person.email)
      expect((await person.ask('GET', '/api/auth/check')).status).toBe(200)
      expect((await reset(token)).body).toEqual({ success: true })
      expect((await person.ask('GET', '/api/auth/check')).status).toBe(401)
      expect((await person.login()).status).toBe(401)
      expect((await person.login({ password: NEW_PASSWORD })).status).toBe(200)
      expect(said(await reset(token, 'yet another battery'))).toBe('422 validation_failed token')
      expect((await person.login({ password: NEW_PASSWORD })).status).toBe(200)
    })
    test('the answer, the work and the rows are the same for an e-mail of nobody (V6.3.8)', async () => {
      const person = await newPerson(world)
      await letters.arrived()
      const rows = () => world.database.db.query('select kind, user_id, attempts from gateway.letters')
      const asked: { answer: unknown; made: unknown[] }[] = []
      for (const email of [person.email, 'nobody@assay.example']) {
        await world.database.db.query('delete from gateway.letters')
        const { status, body, headers } = await forgot(email)
        const { 'x-request-id': _, ...rest } = Object.fromEntries(headers)
        asked.push({ answer: { status, body, headers: Object.keys(rest).sort() }, made: await rows() })
      }
      expect(asked[1]).toEqual(asked[0]!)
      expect(asked[0]!.made).toEqual([{ kind: 'password_reset', user_id: null, attempts: 0 }])
      expect(await letters.arrived()).toEqual([])
      expect(letters.outcomes.at(-1)).toBe('nobody')
      await forgot(person.email)
      expect((await letters.arrived()).map(({ to }) => to)).toEqual([person.email])
    })
    test('a token is good for 30 minutes, and nothing in the database is one', async () => {
      const person = await newPerson(world)
      const token = await tokenFor(person.email)
      expect(token).toMatch(/^assaym_[\w-]{43}$/)
      const kept = JSON.stringify(
        await Promise.all(
          ['mail_tokens', 'letters'].map((table) => world.database.db.query(`select * from gateway.${table}`)),
        ),
      )
      expect(kept).not.toContain(token.slice('assaym_'.length))
      world.time.now += 30 * MINUTE
      expect(said(await reset(token))).toBe('422 validation_failed token')
      expect((await person.login()).status).toBe(200)
    })
    test('two uses of one token at the same time: one wins', async () => {
      const person = await newPerson(world)
      const token = await tokenFor(person.email)
      const passwords = ['first horse battery', 'second horse battery']
      const answers = await Promise.all(passwords.map((password) => reset(token, password)))
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 422])
      const won = passwords[answers.findIndex(({ status }) => status === 200)]!
      expect((await person.login({ password: won })).status).toBe(200)
    })
    test('every token before is void once a password is set, by a letter or in the profile', async () => {
      const person = await newPerson(world)
      const [first, second] = [await tokenFor(person.email), await tokenFor(person.email)]
      expect((await reset(second)).status).toBe(200)
      expect(said(await reset(first, 'yet another battery'))).toBe('422 validation_failed token')
      const third = await tokenFor(person.email)
      await person.login({ password: NEW_PASSWORD })
      const change = { password: PASSWORD, current_password: NEW_PASSWORD }
      expect((await person.ask('PATCH', '/api/users/me', change)).status).toBe(200)
      expect(said(await reset(third))).toBe('422 validation_failed token')
    })
    test('a weak password, or one that is too short, does not use the token up', async () => {
      const person = await newPerson(world)
      const token = await tokenFor(person.email)
      for (const password of ['trustno1', 'short', 'x'.repeat(129), person.email.slice(0, 12)])
        expect(said(await reset(token, password))).toBe('422 validation_failed password')
      expect((await reset(token)).status).toBe(200)
    })
    test('a second factor stays asked for: the letter is no way around it (V6.4.3)', async () => {
      const person = await newPerson(world)
      await withFactor(world, person)
      expect((await reset(await tokenFor(person.email))).status).toBe(200)
      expect((await person.login({ password: NEW_PASSWORD })).status).toBe(401)
    })
    test('who is disabled gets no letter, and the token of an older one opens nothing', async () => {
      const operator = await newPerson(world, { role: 'operator' })
      const person = await newPerson(world)
      const token = await tokenFor(person.email)
      await operator.ask('PATCH', `/api/users/${person.id}`, { disabled: true })
      expect(said(await reset(token))).toBe('422 validation_failed token')
      await forgot(person.email)
      expect((await letters.arrived()).filter(({ to }) => to === person.email)).toEqual([])
    })
    test('a mailbox gets five letters an hour, whoever asks, and nobody is told; one address may ask for twenty', async () => {
      const person = await newPerson(world)
      await letters.arrived()
      for (let i = 0; i < 8; i++) expect((await forgot(person.email)).status).toBe(200)
      expect((await letters.arrived()).filter(({ to }) => to === person.email)).toHaveLength(5)
      const address = newAddress()
      const statuses: number[] = []
      for (let i = 0; i < 21; i++) statuses.push((await forgot(`nobody${i}@assay.example`, address)).status)
      expect(statuses).toEqual([...Array(20).fill(200), 429])
    })
    test('tokens of other letters, unknown ones and other shapes set no password', async () => {
      const person = await newPerson(world)
      await verify({}, person.token)
      const { token } = await letters.to(person.email)
      for (const other of [token, 'assaym_unknown', 'x'])
        expect(said(await reset(other))).toBe('422 validation_failed token')
      for (const other of ['', 5, null, undefined]) expect(said(await reset(other))).toBe('422 validation_failed token')
    })
    test('its owner is written to when it was changed, without a token (V6.3.7)', async () => {
      const person = await newPerson(world)
      await reset(await tokenFor(person.email))
      const letter = await letters.to(person.email)
      expect(letter.subject).toBe('Your Assay password was changed')
      expect(letter.token).toBeUndefined()
      // they stay: whoever was in may have made one
      expect(letter.text).toContain('Its API keys still work')
    })
  })

  describe('an e-mail', () => {
    async function register(email: string) {
      const body = { email, password: PASSWORD }
      const answer = await world.ask('POST', '/api/auth/register', { body, address: newAddress() })
      expect(answer.status).toBe(201)
      const login = await world.ask('POST', '/api/auth/login', { body, address: newAddress() })
      return login.body.token as string
    }
    const me = async (token: string) => (await world.ask('GET', '/api/users/me', { token })).body

    test('is confirmed by the letter that comes after registration, once', async () => {
      const token = await register('new1@assay.example')
      expect(await me(token)).toMatchObject({ email_verified: false })
      const letter = await letters.to('new1@assay.example')
      expect(letter.subject).toBe('Confirm your e-mail')
      expect((await verify({ token: letter.token })).body).toEqual({ success: true })
      expect(await me(token)).toMatchObject({ email_verified: true })
      expect(said(await verify({ token: letter.token }))).toBe('422 validation_failed token')
      expect(said(await verify({}, token))).toBe('409 conflict')
    })
    test('another letter is sent to who asks, logged in', async () => {
      const token = await register('new2@assay.example')
      await letters.arrived()
      expect(said(await verify({}))).toBe('401 unauthorized')
      expect((await verify({}, token)).status).toBe(200)
      expect((await verify({ token: (await letters.to('new2@assay.example')).token })).status).toBe(200)
    })
    test('changes once the new address is confirmed; the old one hears of it before, and its letters open nothing after', async () => {
      const person = await newPerson(world)
      const old = await tokenFor(person.email)
      const change = (email: string, current_password = PASSWORD) =>
        person.ask('PATCH', '/api/users/me', { email, current_password })
      expect(said(await change('moved@assay.example', 'wrong password'))).toBe(
        '401 invalid_credentials current_password',
      )
      expect((await change('Moved@Assay.example')).body).toMatchObject({
        email: person.email,
        pending_email: 'moved@assay.example',
      })
      const came = await letters.arrived()
      expect(came.map(({ to, subject }) => [to, subject]).sort()).toEqual(
        [
          [person.email, 'Your Assay account is to have another e-mail'],
          ['moved@assay.example', 'Confirm your e-mail'],
        ].sort(),
      )
      expect((await person.login()).status).toBe(200)
      const { token } = came.find(({ to }) => to === 'moved@assay.example')!
      expect((await verify({ token })).status).toBe(200)
      expect((await person.ask('GET', '/api/users/me')).body).toMatchObject({
        email: 'moved@assay.example',
        email_verified: true,
        pending_email: null,
      })
      expect((await person.login()).status).toBe(401)
      expect((await person.login({ email: 'moved@assay.example' })).status).toBe(200)
      expect(said(await reset(old))).toBe('422 validation_failed token')
    })
    test('a token proves the address that it was sent to and no other', async () => {
      const person = await newPerson(world)
      const change = (email: string) => person.ask('PATCH', '/api/users/me', { email, current_password: PASSWORD })
      await change('first@assay.example')
      const first = (await letters.to('first@assay.example')).token
      await change('second@assay.example')
      expect(said(await verify({ token: first }))).toBe('422 validation_failed token')
      expect((await person.ask('GET', '/api/users/me')).body.email).toBe(person.email)
    })
    test('of somebody else is not taken over, and whose it is is not said but in a letter to it', async () => {
      const [person, other] = [await newPerson(world), await newPerson(world)]
      await letters.arrived()
      const answer = await person.ask('PATCH', '/api/users/me', { email: other.email, current_password: PASSWORD })
      expect(answer.status).toBe(200)
      const letter = await letters.to(other.email)
      expect(letter.token).toBeUndefined()
      expect((await other.login()).status).toBe(200)
    })
    test('two who wait for one address: the first to confirm it has it', async () => {
      const [one, two] = [await newPerson(world), await newPerson(world)]
      const email = 'wanted@assay.example'
      await one.ask('PATCH', '/api/users/me', { email, current_password: PASSWORD })
      const first = (await letters.to(email)).token
      await two.ask('PATCH', '/api/users/me', { email, current_password: PASSWORD })
      const second = (await letters.to(email)).token
      expect((await verify({ token: second })).status).toBe(200)
      expect(said(await verify({ token: first }))).toBe('409 conflict')
      expect((await two.ask('GET', '/api/users/me')).body.email).toBe(email)
      expect((await one.ask('GET', '/api/users/me')).body.email).toBe(one.email)
    })
  })

  test('a registration with a password from breaches, or of the own name, makes no user', async () => {
    const email = 'weakling@assay.example'
    for (const more of [
      { password: 'trustno1' },
      { password: 'weakling1' },
      { password: 'Lovelace!', name: 'Ada Lovelace' },
    ]) {
      const answer = await world.ask('POST', '/api/auth/register', { body: { email, ...more }, address: newAddress() })
      expect(said(answer)).toBe('422 validation_failed password')
    }
    const good = { email, password: PASSWORD }
    expect((await world.ask('POST', '/api/auth/register', { body: good, address: newAddress() })).status).toBe(201)
  })

  describe('hashes', () => {
    test('an operator makes one that a login takes; traders do not', async () => {
      const operator = await newPerson(world, { role: 'operator' })
      const body = { password: 'provisioned horse' }
      const { status, body: made, headers } = await operator.ask('POST', '/api/auth/hash-password', body)
      expect([status, headers.get('cache-control'), made.algorithm]).toEqual([200, 'no-store', 'argon2id'])
      const { id } = await world.createUser({
        email: 'provisioned@assay.example',
        role: 'trader',
        password: made.hash,
        hashed: true,
      })
      const login = { email: 'provisioned@assay.example', ...body }
      expect((await world.ask('POST', '/api/auth/login', { body: login, address: newAddress() })).status).toBe(200)
      expect(id).toBeString()
      expect(said(await (await newPerson(world)).ask('POST', '/api/auth/hash-password', body))).toBe('403 forbidden')
      expect(said(await operator.ask('POST', '/api/auth/hash-password', { password: 'trustno1' }))).toBe(
        '422 validation_failed password',
      )
    })
    test('of an import lets its user in once as it is and is argon2id from then on', async () => {
      const hash = await Bun.password.hash(PASSWORD, { algorithm: 'bcrypt', cost: 4 })
      const email = 'imported@assay.example'
      const { id } = await world.createUser({ email, role: 'trader', password: `$2y$${hash.slice(4)}`, hashed: true })
      const login = (password: string) =>
        world.ask('POST', '/api/auth/login', { body: { email, password }, address: newAddress() })
      const stored = async () =>
        (await world.database.db.query('select password from gateway.accounts where user_id = $1', [id]))[0]!.password
      expect((await login('wrong password')).status).toBe(401)
      expect(await stored()).toStartWith('$2y$')
      expect((await login(PASSWORD)).status).toBe(200)
      expect(await stored()).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$')
      expect((await login(PASSWORD)).status).toBe(200)
    })
  })
})

test('with PASSWORD_PEPPER hashes are made anew at the next login, and without the key nobody gets in', async () => {
  const world = await openWorld(UNLIMITED)
  let peppered: World | undefined
  try {
    const person = await newPerson(world)
    peppered = await openWorld({ ...UNLIMITED, PASSWORD_PEPPER: 'true' }, world.database)
    const stored = async () =>
      (await world.database.db.query('select password from gateway.accounts where user_id = $1', [person.id]))[0]!
        .password as string
    const login = (at: World) =>
      at.ask('POST', '/api/auth/login', { body: { email: person.email, password: PASSWORD }, address: '10.98.0.1' })
    expect((await login(peppered)).status).toBe(200)
    expect(await stored()).toStartWith('pepper1:$argon2id$')
    expect((await login(peppered)).status).toBe(200)
    // switched off again the key is still there
    const off = await openWorld(UNLIMITED, world.database)
    expect((await login(off)).status).toBe(200)
    expect(await stored()).toStartWith('$argon2id$')
  } finally {
    await world.database.drop()
  }
})
