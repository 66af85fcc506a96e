import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { newPerson, PASSWORD, withFactor } from '../testing/person.ts'
import { openWorld, UNLIMITED, type World } from '../testing/world.ts'
import { openSession } from './open-session.ts'

describeAdapters('sessions and devices', databases, (openDatabase) => {
  let world: World
  beforeAll(async () => {
    world = await openWorld(UNLIMITED, await openDatabase())
  })
  afterAll(() => world.database.drop())
  const check = async (token: string) => (await world.ask('GET', '/api/auth/check', { token })).status
  const firm = () => `firm-${crypto.randomUUID().slice(0, 8)}`

  const letters = async (userId: string) => {
    const db = world.database.db.as('gateway')
    const rows = await db.query<{ kind: string; data: { network?: string; how?: string } }>(
      'select kind, data from letters where user_id = $1 order by id',
      [userId],
    )
    return rows.map(({ kind, data }) => [kind, data.network ?? data.how])
  }

  describe('sessions', () => {
    test('a login from a network that its user was never seen in is told by mail, one on an enrolled device is not (V6.3.5)', async () => {
      const person = await newPerson(world)
      await person.login()
      expect(await letters(person.id)).toEqual([])
      await person.login({}, { address: '198.51.100.77' })
      await person.login({}, { address: '198.51.100.77' })
      expect(await letters(person.id)).toEqual([['new_device', '198.51.100.77']])
      const { device } = (await person.login({ device: 'phone' })).body
      expect(await letters(person.id)).toHaveLength(2)
      await person.login({ device_secret: device.secret }, { address: '192.0.2.200' })
      expect(await letters(person.id)).toHaveLength(2)
    })

    test('who turns the second factor on or off is told by mail (V6.3.7)', async () => {
      const person = await newPerson(world)
      const { code } = await withFactor(world, person)
      await person.ask('POST', '/api/auth/totp/disable', { password: PASSWORD, code: code() })
      expect(await letters(person.id)).toEqual([
        ['second_factor_changed', 'on'],
        ['second_factor_changed', 'off'],
      ])
    })

    test('one sees the own living sessions and from where they are, and ends any of them at once', async () => {
      const person = await newPerson(world)
      const first = person.token
      await person.login({}, { address: '198.51.100.9', userAgent: 'other/2' })
      const { items } = (await person.ask('GET', '/api/auth/sessions')).body
      expect(items).toHaveLength(2)
      expect(items[0]).toMatchObject({ current: true, kind: 'password', amr: ['pwd'], address: '198.51.100.9' })
      expect(items[0]).toMatchObject({ user_agent: 'other/2', client: null, scopes: null })
      expect(items[1]).toMatchObject({ current: false, address: person.address })
      expect(await check(first)).toBe(200)
      expect((await person.ask('DELETE', `/api/auth/sessions/${items[1].id}`)).body).toEqual({ success: true })
      expect(await check(first)).toBe(401)
      expect(await check(person.token)).toBe(200)
      expect((await world.events('identity.revoked')).at(-1)).toMatchObject({ what: 'session', id: items[1].id })
      expect((await person.ask('DELETE', `/api/auth/sessions/${items[1].id}`)).status).toBe(404)
    })

    test('an operator sees and ends those of the own tenant, the house those of all; to others they do not exist (V7.4.5)', async () => {
      const [here, there] = [firm(), firm()]
      const trader = await newPerson(world, { tenant: here })
      const boss = await newPerson(world, { tenant: here, role: 'operator' })
      const stranger = await newPerson(world, { tenant: there, role: 'operator' })
      const peer = await newPerson(world, { tenant: here })
      const house = await newPerson(world, { role: 'operator' })
      const { items } = (await trader.ask('GET', '/api/auth/sessions')).body
      const list = `/api/auth/sessions?user_id=${trader.id}`
      expect((await stranger.ask('GET', list)).status).toBe(404)
      expect((await peer.ask('GET', list)).status).toBe(403)
      for (const other of [stranger, peer]) {
        const refused = await other.ask('DELETE', `/api/auth/sessions/${items[0].id}`)
        const unknown = await other.ask('DELETE', `/api/auth/sessions/${crypto.randomUUID()}`)
        expect([refused.status, refused.body.detail]).toEqual([404, unknown.body.detail])
      }
      expect(await check(trader.token)).toBe(200)
      for (const operator of [boss, house]) {
        await trader.login()
        const seen = (await operator.ask('GET', list)).body.items
        expect((await operator.ask('DELETE', `/api/auth/sessions/${seen[0].id}`)).status).toBe(200)
        expect(await check(trader.token)).toBe(401)
      }
      const ended = (await world.events('audit.recorded')).filter(({ action }) => action === 'session.ended')
      expect(ended.at(-1)).toMatchObject({ actor: house.id, tenant: here })
    })

    test('a user has at most 100: a further login ends the oldest', async () => {
      const person = await newPerson(world)
      const oldest = person.token
      const { identity } = world
      const session = {
        userId: person.id,
        epoch: 0,
        kind: 'password',
        amr: ['pwd'],
        address: '',
        userAgent: '',
      } as const
      for (let i = 0; i < 99; i++) await identity.database.inTransaction((sql) => openSession(sql, identity, session))
      expect(await check(oldest)).toBe(200)
      await person.login()
      expect(await check(oldest)).toBe(401)
      let seen = 0
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page = await person.ask('GET', `/api/auth/sessions?limit=40${cursor && `&cursor=${cursor}`}`)
        seen += page.body.items.length
        cursor = page.body.next
      }
      expect(seen).toBe(100)
    }, 60_000)

    test('a key without account scopes sees no sessions', async () => {
      const person = await newPerson(world)
      const { key } = (await person.ask('POST', '/api/api-keys', { name: 'bot' })).body
      for (const path of ['/api/auth/sessions', '/api/auth/devices'])
        expect((await world.ask('GET', path, { token: key })).status).toBe(403)
    })
  })

  describe('devices', () => {
    test('a login that names a device gets its secret, once; its removal ends the sessions on it and no others', async () => {
      const person = await newPerson(world)
      const other = person.token
      const { device } = (await person.login({ device: 'My laptop' })).body
      const enrolling = person.token
      expect(device.secret).toMatch(/^assayd_[\w-]{43}$/)
      await person.login({ device_secret: device.secret })
      const { items } = (await person.ask('GET', '/api/auth/devices')).body
      expect(items).toEqual([
        expect.objectContaining({ id: device.id, name: 'My laptop', current: true, address: person.address }),
      ])
      const rows = await world.database.db.as('gateway').query('select * from devices where id = $1', [device.id])
      expect(JSON.stringify(rows)).not.toContain(device.secret)
      const onIt = person.token
      person.token = other
      expect((await person.ask('DELETE', `/api/auth/devices/${device.id}`)).status).toBe(200)
      expect([await check(enrolling), await check(onIt), await check(other)]).toEqual([401, 401, 200])
      expect((await person.ask('GET', '/api/auth/devices')).body.items).toEqual([])
    })

    test("nobody sees or removes another's, but an operator of the tenant", async () => {
      const tenant = firm()
      const person = await newPerson(world, { tenant })
      const peer = await newPerson(world, { tenant })
      const boss = await newPerson(world, { tenant, role: 'operator' })
      const stranger = await newPerson(world, { tenant: firm(), role: 'operator' })
      const { device } = (await person.login({ device: 'phone' })).body
      for (const other of [peer, stranger]) {
        expect((await other.ask('DELETE', `/api/auth/devices/${device.id}`)).status).toBe(404)
        expect((await other.ask('GET', '/api/auth/devices')).body.items).toEqual([])
      }
      expect((await person.ask('GET', '/api/auth/devices')).body.items).toHaveLength(1)
      expect((await boss.ask('GET', `/api/auth/devices?user_id=${person.id}`)).body.items).toHaveLength(1)
      expect((await boss.ask('DELETE', `/api/auth/devices/${device.id}`)).status).toBe(200)
    })

    test('its sessions are ended by who has authenticated a moment ago, as any other is (V7.5.2)', async () => {
      const person = await newPerson(world)
      const { device } = (await person.login({ device: 'laptop' })).body
      const { refresh_token } = (await person.login()).body
      world.time.now += 16 * 60_000
      const { address } = person
      person.token = (await world.ask('POST', '/api/auth/refresh', { body: { refresh_token }, address })).body.token
      const remove = () => person.ask('DELETE', `/api/auth/devices/${device.id}`)
      expect((await remove()).body).toMatchObject({ status: 403, code: 'step_up_required' })
      expect((await person.ask('GET', '/api/auth/devices')).body.items).toHaveLength(1)
      // two on the device, one of them that which asks
      await person.login({ device_secret: device.secret })
      expect((await remove()).status).toBe(200)
    })

    test("another user's device secret says nothing", async () => {
      const [one, other] = [await newPerson(world), await newPerson(world)]
      const { device } = (await one.login({ device: 'phone' })).body
      expect((await other.login({ device_secret: device.secret })).status).toBe(200)
      expect((await other.ask('GET', '/api/auth/sessions')).body.items[0].device_id).toBeNull()
    })
  })
})
