import { afterAll, beforeAll, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { type Letters, openLetters } from '../testing/letters.ts'
import { newPerson, type Person } from '../testing/person.ts'
import { openWorld, said, UNLIMITED, type World } from '../testing/world.ts'

const DAY = 86_400_000
const CHOSEN = 'chosen horse battery'

describeAdapters('invitations', databases, (openDatabase) => {
  let world: World
  let letters: Letters
  let house: Person
  let operator: Person
  let admin: Person
  let stranger: Person
  let people = 0
  beforeAll(async () => {
    world = await openWorld(UNLIMITED, await openDatabase())
    letters = openLetters(world)
    house = await newPerson(world, { role: 'operator' })
    operator = await newPerson(world, { role: 'operator', tenant: 'firm' })
    admin = await newPerson(world, { role: 'admin', tenant: 'firm' })
    stranger = await newPerson(world, { role: 'admin', tenant: 'rival' })
  })
  afterAll(() => world.database.drop())

  const newEmail = () => `invited${people++}@assay.example`
  const invite = (by: Person, body: object) => by.ask('POST', '/api/invitations', body)
  const accept = (id: string, token: unknown, more: object = {}) =>
    world.ask('POST', `/api/invitations/${id}/accept`, {
      body: { token, password: CHOSEN, ...more },
      address: `10.66.0.${people++ % 250}`,
    })
  async function invited(by = operator, body: object = {}) {
    const email = newEmail()
    const answer = await invite(by, { email, ...body })
    expect(answer.status).toBe(201)
    return { email, id: answer.body.id as string, token: (await letters.to(email)).token!, body: answer.body }
  }
  const login = (email: string) =>
    world.ask('POST', '/api/auth/login', { body: { email, password: CHOSEN }, address: '10.65.0.1' })

  test('who has the letter becomes a user of its tenant and role with a confirmed e-mail, once', async () => {
    const { id, email, token, body } = await invited(operator, { role: 'bot' })
    expect(body).toMatchObject({ tenant: 'firm', role: 'bot', status: 'open', invited_by: operator.id, email })
    expect(JSON.stringify(body)).not.toContain('token')
    const accepted = await accept(id, token, { name: 'Ada', role: 'admin', tenant: 'default' })
    expect(said(accepted)).toStartWith('422')
    expect((await accept(id, token, { name: 'Ada' })).body).toEqual({
      success: true,
      user: expect.objectContaining({ email, name: 'Ada', role: 'bot', tenant: 'firm' }),
    })
    expect((await login(email)).status).toBe(200)
    expect(said(await accept(id, token))).toBe('404 not_found')
    const [row] = (await operator.ask('GET', '/api/invitations?status=accepted')).body.items
    expect(row).toMatchObject({ id, email, status: 'accepted', accepted_at: expect.any(String) })
    const users = await operator.ask('GET', `/api/users?email=${email}`)
    expect(users.body.items).toEqual([expect.objectContaining({ email_verified: true, role: 'bot' })])
  })
  test('two who use one letter at the same time make one user', async () => {
    const { id, email, token } = await invited()
    const answers = await Promise.all([accept(id, token), accept(id, token)])
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 404])
    expect((await house.ask('GET', `/api/users?email=${email}`)).body.items).toHaveLength(1)
  })
  test('a wrong token, one of another invitation, and an absent invitation get the same answer', async () => {
    const [one, other] = [await invited(), await invited()]
    const answers = [
      await accept(one.id, 'assaym_wrong'),
      await accept(one.id, other.token),
      await accept(Bun.randomUUIDv7(), one.token),
    ].map(({ status, body: { request_id: _, instance: __, ...rest } }) => JSON.stringify({ status, rest }))
    expect(new Set(answers).size).toBe(1)
    expect(answers[0]).toContain('404')
    expect((await accept(one.id, one.token)).status).toBe(201)
  })
  test('it ends after 7 days', async () => {
    const { id, token } = await invited()
    world.time.now += 7 * DAY
    await Promise.all([house, operator, admin, stranger].map((person) => person.login()))
    expect(said(await accept(id, token))).toBe('404 not_found')
    const { items } = (await operator.ask('GET', '/api/invitations?status=expired')).body
    expect(items.map((row: { id: string }) => row.id)).toContain(id)
  })
  test('a new one of the same e-mail takes the place of the old: its letter opens nothing', async () => {
    const email = newEmail()
    const first = await invite(operator, { email })
    const old = (await letters.to(email)).token
    const second = await invite(admin, { email, role: 'operator' })
    const { token } = await letters.to(email)
    expect(said(await accept(first.body.id, old))).toBe('404 not_found')
    expect((await accept(second.body.id, token)).body.user).toMatchObject({ role: 'operator' })
  })
  test('taken back it opens nothing; that of another tenant is as absent as none', async () => {
    const { id, token } = await invited()
    expect(said(await stranger.ask('DELETE', `/api/invitations/${id}`))).toBe('404 not_found')
    expect((await operator.ask('DELETE', `/api/invitations/${id}`)).body).toEqual({ success: true })
    expect(said(await accept(id, token))).toBe('404 not_found')
    expect(said(await operator.ask('DELETE', `/api/invitations/${id}`))).toBe('404 not_found')
  })
  test('operators invite into their own tenant, admins and the house operators too, and only the house elsewhere', async () => {
    for (const role of ['operator', 'admin']) {
      expect(said(await invite(operator, { email: newEmail(), role }))).toBe('403 forbidden role')
      expect((await invite(admin, { email: newEmail(), role })).status).toBe(201)
      expect((await invite(house, { email: newEmail(), role, tenant: 'rival' })).status).toBe(201)
    }
    expect(said(await invite(admin, { email: newEmail(), tenant: 'rival' }))).toBe('403 forbidden tenant')
    expect(said(await invite(house, { email: newEmail(), tenant: 'nowhere' }))).toBe('422 validation_failed tenant')
    const trader = await newPerson(world, { tenant: 'firm' })
    expect(said(await invite(trader, { email: newEmail() }))).toBe('403 forbidden')
    expect(said(await invite(operator, { email: 'nobody' }))).toBe('422 validation_failed email')
    expect(said(await invite(operator, { email: newEmail(), role: 'service' }))).toBe('422 validation_failed role')
  })
  test('it is worth what its inviter may give when it is accepted', async () => {
    const leaving = await newPerson(world, { role: 'admin', tenant: 'firm' })
    const [asOperator, asTrader] = [await invited(leaving, { role: 'operator' }), await invited(leaving)]
    await house.ask('PATCH', `/api/users/${leaving.id}`, { role: 'operator' })
    expect(said(await accept(asOperator.id, asOperator.token))).toBe('404 not_found')
    expect((await accept(asTrader.id, asTrader.token)).status).toBe(201)
    const later = await invited(admin)
    const another = await newPerson(world, { role: 'operator', tenant: 'firm' })
    await another.login()
    const byAnother = await invited(another)
    await house.ask('PATCH', `/api/users/${another.id}`, { disabled: true })
    expect(said(await accept(byAnother.id, byAnother.token))).toBe('404 not_found')
    expect((await accept(later.id, later.token)).status).toBe(201)
  })
  test('an operator does not learn who has an account elsewhere: its owner gets a letter without a token', async () => {
    const { email } = await newPerson(world)
    await letters.arrived()
    const [taken, free] = [await invite(operator, { email }), await invite(operator, { email: newEmail() })]
    expect(Object.keys(taken.body).sort()).toEqual(Object.keys(free.body).sort())
    expect([taken.status, taken.body.status]).toEqual([free.status, free.body.status])
    const letter = (await letters.arrived()).find(({ to }) => to === email)!
    expect(letter.token).toBeUndefined()
  })
  test('lists hold those of the own tenant, the house sees all; the database holds no e-mail', async () => {
    const { id, email } = await invited()
    const idsOf = async (by: Person, query = '') =>
      (await by.ask('GET', `/api/invitations?limit=500${query}`)).body.items.map((row: { id: string }) => row.id)
    expect(await idsOf(operator)).toContain(id)
    expect(await idsOf(house)).toContain(id)
    expect(await idsOf(stranger)).not.toContain(id)
    expect(await idsOf(stranger, '&tenant=firm')).toEqual([])
    const rows = await world.database.db.query('select * from gateway.invitations')
    expect(JSON.stringify(rows)).not.toContain(email)
  })
  test('a weak password is refused and the letter stays good', async () => {
    const { id, token, email } = await invited()
    for (const password of ['trustno1', 'short', email.slice(0, 9)])
      expect(said(await accept(id, token, { password }))).toBe('422 validation_failed password')
    expect((await accept(id, token)).status).toBe(201)
  })
})
