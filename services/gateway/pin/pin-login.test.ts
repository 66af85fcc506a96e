import { afterAll, beforeAll, expect, test } from 'bun:test'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { newPerson, type Person, withFactor } from '../testing/person.ts'
import { type Answer, openWorld, type World } from '../testing/world.ts'

const MINUTE = 60_000
const PIN = '839274'
const LISTED = '192.0.2.10'
const env = (email: string) => ({
  RATE_LIMIT_PER_MINUTE: '1000000',
  BOT_CONTROL_PIN: PIN,
  BOT_CONTROL_ACCOUNT: email,
  BOT_CONTROL_ADDRESSES: '192.0.2.0/28',
})
const said = ({ status, body }: Answer) => `${status} ${body.code ?? ''}`.trim()

describeAdapters('PIN login', databases, (openDatabase) => {
  let world: World
  let operator: Person
  let device: string
  let emails = 0
  /** A world of its own account, so that the counts of one test do not reach another. */
  async function setUp() {
    const email = `pin${emails++}@assay.example`
    world = await openWorld(env(email), world?.database ?? (await openDatabase()))
    operator = await newPerson(world, { email, role: 'operator' })
    device = (await operator.login({ device: 'desk' })).body.device.secret
  }
  beforeAll(setUp)
  afterAll(() => world.database.drop())
  const login = (
    pin: string,
    { address = operator.address, secret = device }: { address?: string; secret?: string } = {},
  ) => world.ask('POST', '/api/auth/login', { body: { pin, device_secret: secret || undefined }, address })
  const wrong = async (times: number, from = 1) => {
    for (let i = 0; i < times; i++)
      expect(said(await login('000001', { address: `10.9.${from}.1` }))).toStartWith('401')
  }

  test('on an enrolled device or from a listed address it gives bot:control and nothing else, also after a refresh', async () => {
    for (const answer of [await login(PIN), await login(PIN, { address: LISTED, secret: '' })]) {
      expect(answer.status).toBe(200)
      const { token, refresh_token } = answer.body
      const check = await world.ask('GET', '/api/auth/check', { token })
      expect(check.body).toMatchObject({ scopes: ['bot:control'], user: { id: operator.id } })
      for (const path of ['/api/auth/sessions', '/api/api-keys'])
        expect((await world.ask('GET', path, { token })).status).toBe(403)
      expect((await world.ask('POST', '/api/auth/signing-keys', { token })).status).toBe(403)
      const next = await world.ask('POST', '/api/auth/refresh', { body: { refresh_token } })
      const again = await world.ask('GET', '/api/auth/check', { token: next.body.token })
      expect(again.body.scopes).toEqual(['bot:control'])
    }
    const { items } = (await operator.ask('GET', '/api/auth/sessions')).body
    expect(items.slice(0, 2).map(({ kind, amr }: { kind: string; amr: string[] }) => [kind, ...amr])).toEqual([
      ['pin', 'pin', 'address'],
      ['pin', 'pin', 'device'],
    ])
  })

  test('anywhere else the right PIN gets the answer of a wrong one, and so does another device', async () => {
    const { device: others } = (await (await newPerson(world, { role: 'operator' })).login({ device: 'x' })).body
    const answers = [
      await login('000001'),
      await login(PIN, { secret: '' }),
      await login(PIN, { secret: 'assayd_unknown', address: '10.8.1.1' }),
      await login(PIN, { secret: others.secret, address: '10.8.2.1' }),
    ]
    const bodies = answers.map(({ body: { request_id: _, ...rest } }) => rest)
    for (const body of bodies) expect(body).toEqual(bodies[0]!)
    expect(bodies[0]).toMatchObject({ status: 401, code: 'invalid_credentials' })
    expect((await login(PIN)).status).toBe(200)
  })

  test('five tries in 15 minutes from an address, right or wrong from nowhere, also after a restart', async () => {
    await setUp()
    await wrong(5)
    const refused = await login(PIN, { address: '10.9.1.1' })
    expect(said(refused)).toBe('429 rate_limited')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(800)
    await world.restart()
    expect(said(await login(PIN, { address: '10.9.1.1' }))).toBe('429 rate_limited')
    expect((await login(PIN)).status).toBe(200)
    world.time.now += 15 * MINUTE
    expect((await login(PIN, { address: '10.9.1.1' })).status).toBe(200)
  })

  test('ten wrong ones in an hour lock it for everybody until an operator unlocks it; time and restarts do not', async () => {
    await setUp()
    await wrong(5, 1)
    await wrong(4, 2)
    expect((await login(PIN)).status).toBe(200)
    await wrong(1, 3)
    expect(said(await login(PIN))).toBe('403 pin_locked')
    expect((await world.events('audit.recorded')).filter(({ action }) => action === 'pin.locked').at(-1)).toMatchObject(
      {
        actor: operator.id,
      },
    )
    world.time.now += 24 * 60 * MINUTE
    await world.restart()
    expect(said(await login(PIN))).toBe('403 pin_locked')
    // who is not on one of the devices does not even learn that
    expect(said(await login(PIN, { secret: '' }))).toBe('401 invalid_credentials')

    const tenant = `firm-${crypto.randomUUID().slice(0, 8)}`
    const stranger = await newPerson(world, { role: 'operator', tenant })
    const trader = await newPerson(world)
    expect((await trader.ask('POST', '/api/auth/pin/unlock')).status).toBe(403)
    expect((await stranger.ask('POST', '/api/auth/pin/unlock')).status).toBe(404)
    expect(said(await login(PIN))).toBe('403 pin_locked')
    await operator.login()
    expect((await operator.ask('POST', '/api/auth/pin/unlock')).status).toBe(200)
    expect((await login(PIN)).status).toBe(200)
  })

  test('racing tries get no more than ten in all: the rest is locked out, the right PIN with them', async () => {
    await setUp()
    await wrong(5, 1)
    await wrong(4, 2)
    const race = await Promise.all(Array.from({ length: 30 }, (_, i) => login('000001', { address: `10.10.${i}.1` })))
    const answers = race.map(said)
    expect(answers.filter((answer) => answer.startsWith('401'))).toHaveLength(1)
    expect(answers.filter((answer) => answer === '403 pin_locked')).toHaveLength(29)
    expect(said(await login(PIN))).toBe('403 pin_locked')
  })

  test('strangers cannot lock the operator out: tries from elsewhere count for their own address only', async () => {
    await setUp()
    for (let i = 0; i < 40; i++) await login('000001', { secret: '', address: `10.11.${i}.1` })
    expect((await login(PIN)).status).toBe(200)
  })

  test('it opens nothing once the account is no operator any more or is disabled; unlocking wants a fresh second factor', async () => {
    await setUp()
    const db = world.database.db.as('gateway')
    await db.query(`update users set role = 'trader' where id = $1`, [operator.id])
    expect(said(await login(PIN))).toBe('401 invalid_credentials')
    await db.query(`update users set role = 'operator', disabled_at = now() where id = $1`, [operator.id])
    expect(said(await login(PIN))).toBe('401 invalid_credentials')
    await db.query('update users set disabled_at = null where id = $1', [operator.id])
    expect((await login(PIN)).status).toBe(200)
    await withFactor(world, operator)
    await db.query('update sessions set confirmed_at = null')
    expect(said(await operator.ask('POST', '/api/auth/pin/unlock'))).toBe('403 step_up_required')
  })

  test('without a configured PIN, and beside an e-mail, it is refused by field; a PIN has six digits', async () => {
    const plain = await openWorld({}, world.database)
    const ask = (body: object) => plain.ask('POST', '/api/auth/login', { body })
    expect(said(await ask({ pin: PIN, device_secret: device }))).toBe('401 invalid_credentials')
    expect((await ask({ pin: '12345' })).body).toMatchObject({ status: 422, field: 'pin' })
    expect((await ask({ pin: PIN, email: 'a@assay.example' })).body).toMatchObject({ status: 422, field: 'pin' })
    expect((await ask({})).body).toMatchObject({ status: 422, field: 'email' })
    expect((await ask({ email: 'a@assay.example' })).body).toMatchObject({ status: 422, field: 'password' })
  })
})
