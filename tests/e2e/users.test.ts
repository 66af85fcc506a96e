import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Api, openApi } from './api.ts'
import { openContract } from './contract.ts'
import { tokenTo } from './letters.ts'
import { operatorToken, type Person, signUp, type Tokens } from './people.ts'
import { type Process, scratchHome, startProcess } from './platform.ts'

type Page<T> = { items: T[]; next: string | null }

const { home, remove } = scratchHome()
let platform: Process
let anonymous: Api
let operator: string
let ann: Person
beforeAll(async () => {
  platform = await startProcess(home)
  anonymous = openApi(platform.url, openContract())
  operator = await operatorToken(anonymous)
  ann = await signUp(anonymous, 'ann', operator)
}, 30_000)
afterAll(async () => {
  await platform.stop('SIGKILL')
  remove()
})
const change = (who: Api, path: string, body: object) => who.send<Record<string, unknown>>('PATCH', path, { body })

test('the house makes a tenant, whose admin becomes a user by a letter and sees nobody else', async () => {
  const house = anonymous.as(operator)
  await house.post('/api/tenants', { id: 'firm', name: 'The Firm' })
  expect((await change(house, '/api/tenants/firm', { plan: 'pro' })).body).toMatchObject({ plan: 'pro' })
  const { items: tenants } = await house.get<Page<{ id: string }>>('/api/tenants')
  expect(tenants.map((tenant) => tenant.id)).toEqual(['default', 'firm'])

  const email = 'admin@firm.example'
  const invited = { email, role: 'admin', tenant: 'firm' }
  const { id: taken } = await house.post<{ id: string }>('/api/invitations', {
    ...invited,
    email: 'not@firm.example',
  })
  await house.delete(`/api/invitations/${taken}`)
  const invitation = await house.post<{ id: string }>('/api/invitations', invited)
  expect((await house.get<Page<object>>('/api/invitations')).items).toHaveLength(1)
  const password = 'chosen by the invited'
  await anonymous.post(`/api/invitations/${invitation.id}/accept`, { token: await tokenTo(home, email), password })
  const admin = anonymous.as((await anonymous.post<Tokens>('/api/auth/login', { email, password })).token)
  expect((await admin.get<Page<{ email: string }>>('/api/users')).items.map((user) => user.email)).toEqual([email])
  expect((await admin.refused('GET', `/api/users/${ann.id}`)).status).toBe(404)
})
test('an operator disables a user, whose session and key end at once, and lets him in again', async () => {
  const house = anonymous.as(operator)
  const carl = await signUp(anonymous, 'carl', operator)
  expect(await house.get<object>(`/api/users/${carl.id}`)).toMatchObject({ status: 'active' })
  await change(house, `/api/users/${carl.id}`, { disabled: true })
  expect((await carl.api.refused('GET', '/api/auth/check')).status).toBe(401)
  expect((await carl.bot.refused('GET', '/api/assessments')).status).toBe(401)
  await change(house, `/api/users/${carl.id}`, { disabled: false })
  await carl.bot.get('/api/assessments')
})
test('a forgotten password is set anew by a letter; its owner confirms the e-mail and changes the name', async () => {
  const { email, password } = await signUp(anonymous, 'dora', operator)
  await anonymous.post('/api/auth/email/verify', { token: await tokenTo(home, email) })
  await anonymous.post('/api/auth/password/forgot', { email })
  const token = await tokenTo(home, email, 2)
  await anonymous.post('/api/auth/password/reset', { token, password: 'set by a letter' })
  expect((await anonymous.refused('POST', '/api/auth/login', { body: { email, password } })).status).toBe(401)
  const login = await anonymous.post<Tokens>('/api/auth/login', { email, password: 'set by a letter' })
  const dora = anonymous.as(login.token)
  expect((await change(dora, '/api/users/me', { name: 'Dora' })).body).toMatchObject({ name: 'Dora' })
  expect(await dora.get<object>('/api/users/me')).toMatchObject({ name: 'Dora', email_verified: true })
  await anonymous.as(operator).post('/api/auth/hash-password', { password: 'to be provisioned' })
})
