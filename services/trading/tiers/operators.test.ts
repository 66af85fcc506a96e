import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Preset } from '@assay/core/domain/presets/preset'
import { presetHash, unverifiedOf } from '@assay/core/domain/presets/preset'
import { openWorld, type World } from '../testing/world.ts'
import { TIER_CATALOGUE } from './catalogue.ts'
import { seedTiers } from './seed-tiers.ts'

const BOOT_MS = 60_000
const target = { rule: 'profit_target', pct: '8', basis: 'balance', require_flat: true, sticky: false, effect: 'gate' }
const preset: Preset = {
  id: 'some-firm-1-step',
  firm: 'Some firm',
  program: '1 step',
  version: 1,
  note: 'for tests',
  contradictions: [],
  tier: {
    currency: 'USD',
    initial_balance: '50000',
    reset_zone: 'UTC',
    reset_time: '00:00',
    phases: [{ kind: 'evaluation', rules: [target as never] }],
  },
  parameters: [{ path: 'phases[0].rules[0].pct', value: '8', source: null, confidence: 'unverified' }],
}
const published = { document: preset, hash: presetHash(preset), unverified: unverifiedOf(preset) }
const reference = { id: preset.id, version: 1, hash: published.hash }

let world: World
beforeAll(async () => {
  world = await openWorld({ presets: [published] })
  await world.quote('2024-03-01T09:00:00Z', '60000', '60001')
}, BOOT_MS)
afterAll(() => world.close())

const operator = () => world.as('operator:olga')
const tier = (name: string, more: object = {}) => ({
  name,
  currency: 'USD',
  initial_balance: '50000',
  price: '100',
  phases: [{ kind: 'evaluation', rules: [{ rule: 'max_loss', limit: { pct: '10' } }] }],
  ...more,
})
const refusal = ({ status, body }: { status: number; body: { code: string; field?: string } }) => [
  status,
  body.code,
  body.field,
]

describe('operators', () => {
  test('put a tier on sale under its name, change it, and take it off; what was bought keeps its version', async () => {
    const made = await operator().post('/api/tiers', tier('Big 50k'))
    expect([made.status, made.body.id, made.body.version]).toEqual([201, 'big-50k', 1])
    expect(made.headers.get('etag')).toBe(`"${made.body.hash}"`)
    expect((await world.as('').get('/api/tiers/big-50k')).body).toEqual(made.body)
    const id = await world.started('trader:ada', 'big-50k')

    const changed = await operator().patch(
      '/api/tiers/big-50k',
      { price: '120', max_pauses: 2, max_pause_days: 7 },
      { 'if-match': made.headers.get('etag')! },
    )
    expect([changed.status, changed.body.version, changed.body.document.price]).toEqual([200, 2, '120'])
    expect(changed.body.document.phases).toEqual(made.body.document.phases)
    expect((await world.as('').get('/api/tiers/big-50k')).body).toEqual(changed.body)
    const running = (await world.as('trader:ada').get(`/api/assessments/${id}`)).body
    expect([running.tier_version, running.tier_hash]).toEqual([1, made.body.hash])

    expect((await operator().delete('/api/tiers/big-50k')).body).toEqual({ success: true })
    expect((await world.as('').get('/api/tiers/big-50k')).status).toBe(404)
    expect((await world.as('trader:ada').post('/api/purchases', { tier_id: 'big-50k' })).status).toBe(404)
    expect(refusal(await operator().delete('/api/tiers/big-50k'))).toEqual([404, 'not_found', undefined])
    expect((await operator().delete('/api/tiers/big-50k')).body.detail).toContain('no longer on sale')
    expect((await operator().delete('/api/tiers/big-60k')).body.detail).toBe('There is no tier big-60k.')
    expect((await world.as('trader:ada').get(`/api/assessments/${id}/account`)).body.status).toBe('started')
    const kept = await world.deps.db.query<{ version: number; made_by: string }>(
      `select version, made_by from trading.tier_version where id = 'big-50k' order by version`,
    )
    expect(kept).toEqual([
      { version: 1, made_by: 'olga' },
      { version: 2, made_by: 'olga' },
    ])
  })
  test('sell a new version of a tier that was retired, under its id; one on sale is not overwritten', async () => {
    const first = await operator().post('/api/tiers', tier('Again'))
    expect(refusal(await operator().post('/api/tiers', tier('Again')))).toEqual([409, 'conflict', 'id'])
    await operator().delete('/api/tiers/again')
    const second = await operator().post('/api/tiers', tier('Again', { price: '90' }))
    expect([second.status, second.body.version, second.body.document.price]).toEqual([201, 2, '90'])
    expect((await world.as('').get('/api/tiers/again')).body).toEqual(second.body)
    const kept = await world.deps.db.query<{ hash: string }>(
      `select hash from trading.tier_version where id = 'again' order by version`,
    )
    expect(kept.map(({ hash }) => hash)).toEqual([first.body.hash, second.body.hash])
  })
  test('do not overwrite each other: a change of what has changed is refused', async () => {
    const { body } = await operator().post('/api/tiers', tier('raced', { id: 'raced' }))
    const headers = { 'if-match': `"${body.hash}"` }
    const answers = await Promise.all(
      ['1', '2', '3'].map((price) => operator().patch('/api/tiers/raced', { price }, headers)),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412])
    expect((await world.as('').get('/api/tiers/raced')).body.version).toBe(2)
  })
  test('get the first answer to a repeat of their key', async () => {
    const key = { 'idempotency-key': 'once' }
    const first = await operator().post('/api/tiers', tier('Keyed'), key)
    const again = await operator().post('/api/tiers', tier('Keyed'), key)
    expect([again.status, again.body]).toEqual([201, first.body])
  })
  test.each([
    ['initial_balance', tier('x', { initial_balance: 5 })],
    ['phases[0].rules[0].rule', tier('x', { phases: [{ kind: 'evaluation', rules: [{ rule: 'nope' }] }] })],
    ['instruments[0].session_calendar', tier('x', { instruments: [{ symbol: 'EUR/USD', session_calendar: 'none' }] })],
    ['id', tier('x', { id: 'Not An Id' })],
    ['id', tier('***')],
    ['leverag', tier('x', { leverag: '3' })],
  ])('are told the field of a tier that cannot be: %s', async (field, body) => {
    expect(refusal(await operator().post('/api/tiers', body))).toEqual([422, 'validation_failed', field])
  })
  test('are told the field of a change that cannot be', async () => {
    const patch = (change: object) => operator().patch('/api/tiers/demo-gbp', change)
    expect(refusal(await patch({ price: 'much' }))).toEqual([422, 'validation_failed', 'price'])
    expect(refusal(await patch({ colour: 'red' }))).toEqual([422, 'validation_failed', 'colour'])
  })
  test('keep what they changed of the catalogue when the platform starts again', async () => {
    await operator().patch('/api/tiers/demo-chf', { price: '7' })
    await operator().delete('/api/tiers/demo-aud')
    await seedTiers(world.deps.db, 'default', TIER_CATALOGUE)
    const { body } = await operator().post('/api/purchases', { tier_id: 'demo-chf' })
    expect([body.amount, body.tier_version]).toEqual(['7', 2])
    expect((await operator().post('/api/purchases', { tier_id: 'demo-aud' })).status).toBe(404)
  })
  test('only: nobody else, and none of another tenant (V8.4.1)', async () => {
    for (const [token, status] of [
      ['', 401],
      ['trader:ada', 403],
      ['bot:ada', 403],
    ] as const) {
      const who = world.as(token)
      expect((await who.post('/api/tiers', tier('mine'))).status).toBe(status)
      expect((await who.patch('/api/tiers/demo-usd', { price: '1' })).status).toBe(status)
      expect((await who.delete('/api/tiers/demo-usd')).status).toBe(status)
      expect((await who.put('/api/calendars/x', { kind: 'news', events: [] })).status).toBe(status)
      // who may not is told so before what is wrong with the body
      expect((await who.put('/api/calendars/x', { kind: 'nothing' })).status).toBe(status)
      expect((await who.post('/api/tiers', {})).status).toBe(status)
    }
    const other = world.as('operator:otto:other')
    expect((await other.patch('/api/tiers/demo-usd', { price: '1' })).status).toBe(404)
    expect((await other.delete('/api/tiers/demo-usd')).status).toBe(404)
    expect((await world.as('').get('/api/tiers/demo-usd')).body.document.price).toBe('0')
  })
})

describe('a preset', () => {
  test('is listed with what nothing supports, and served whole with its hash', async () => {
    const { body } = await world.as('').get('/api/presets')
    expect(body.items).toMatchObject([{ ...reference, unverified: ['phases[0].rules[0].pct'] }])
    const one = (await world.as('').get(`/api/presets/${preset.id}`)).body
    expect(one.document.parameters).toEqual(preset.parameters)
    expect((await world.as('').get('/api/presets/none')).status).toBe(404)
  })
  test('with an unsourced parameter is sold only when each is accepted by name; the purchase pins it', async () => {
    const made = (more: object) => operator().post('/api/tiers', tier('From preset', { preset: reference, ...more }))
    const refused = await made({})
    expect(refusal(refused)).toEqual([409, 'preset_not_accepted', 'accept_unverified'])
    expect(refused.body.errors).toEqual([{ field: 'phases[0].rules[0].pct', detail: 'has no source' }])
    expect((await made({ accept_unverified: ['phases[0].rules[1].pct'] })).status).toBe(409)
    const accepted = await made({ accept_unverified: ['phases[0].rules[0].pct'] })
    expect([accepted.status, accepted.body.document.preset]).toEqual([201, reference])
    const { body } = await world.as('trader:ada').post('/api/purchases', { tier_id: 'from-preset' })
    expect([body.preset, body.tier_hash]).toEqual([reference, accepted.body.hash])
    const patched = await operator().patch('/api/tiers/demo-eur', { preset: reference })
    expect(refusal(patched)).toEqual([409, 'preset_not_accepted', 'accept_unverified'])
  })
  test('must be the one of this release, by version and hash', async () => {
    const made = async (said: object) =>
      refusal(await operator().post('/api/tiers', tier('x', { preset: { ...reference, ...said } })))
    expect(await made({ id: 'none' })).toEqual([422, 'validation_failed', 'preset.id'])
    expect(await made({ version: 2 })).toEqual([422, 'validation_failed', 'preset.version'])
    expect(await made({ hash: 'ab'.repeat(32) })).toEqual([422, 'validation_failed', 'preset.hash'])
  })
})

describe('a calendar', () => {
  const weekdays = [{ from: { day: 1, time: '09:00' }, to: { day: 5, time: '17:00' } }]
  const hours = (more: object = {}) => ({ kind: 'sessions', zone: 'Europe/London', weekly: weekdays, ...more })
  const put = (name: string, body: object, headers?: Record<string, string>) =>
    operator().put(`/api/calendars/${name}`, body, headers)
  test('has a version for each change, the same words keep theirs, If-Match guards it', async () => {
    const first = await put('lse', hours())
    expect([first.status, first.body.document.version, first.body.document.name]).toEqual([200, 1, 'lse'])
    expect((await put('lse', hours())).body).toEqual(first.body)
    expect((await put('lse', hours(), { 'if-none-match': '*' })).status).toBe(412)
    await put('lse-holidays', {
      kind: 'holidays',
      dates: [{ date: '2024-12-25' }, { date: '2024-12-24', close: '12:30' }],
    })
    const second = await put('lse', hours({ holidays: 'lse-holidays' }), { 'if-match': first.headers.get('etag')! })
    expect(second.body.document).toMatchObject({ version: 2, holidays: 'lse-holidays' })
    expect((await put('lse', hours(), { 'if-match': first.headers.get('etag')! })).status).toBe(412)
    const { items } = (await world.as('').get('/api/calendars')).body
    expect(
      items.map((c: { document: { name: string; version: number } }) => [c.document.name, c.document.version]),
    ).toEqual([
      ['lse', 2],
      ['lse-holidays', 1],
    ])
    expect((await world.as('').get('/api/calendars?kind=holidays')).body.items).toHaveLength(1)
  })
  test('is put as it was read: its name and version must be those of the path and in force', async () => {
    const { document } = (await put('round', hours())).body
    const { items } = (await world.as('').get('/api/calendars?kind=sessions')).body
    expect(items.map((item: { document: object }) => item.document)).toContainEqual(document)
    expect((await put('round', document)).body.document).toEqual(document)
    const changed = await put('round', { ...document, zone: 'Europe/Paris' })
    expect([changed.status, changed.body.document.version, changed.body.document.zone]).toEqual([
      200,
      2,
      'Europe/Paris',
    ])
    expect(refusal(await put('round', document))).toEqual([422, 'validation_failed', 'version'])
    expect(refusal(await put('other', document))).toEqual([422, 'validation_failed', 'name'])
    expect(refusal(await put('new', hours({ version: 2 })))).toEqual([422, 'validation_failed', 'version'])
  })
  test('that is not sound names its field', async () => {
    expect(refusal(await put('bad', hours({ zone: 'Moon' })))).toEqual([422, 'validation_failed', 'zone'])
    expect(refusal(await put('bad', hours({ weekly: [...weekdays, ...weekdays] })))).toEqual([
      422,
      'validation_failed',
      'weekly[1]',
    ])
    expect(refusal(await put('bad', hours({ holidays: 'none' })))).toEqual([422, 'validation_failed', 'holidays'])
    expect(refusal(await put('lse', { kind: 'news', events: [] }))).toEqual([422, 'validation_failed', 'kind'])
    expect((await put('Not-A-Name', hours())).status).toBe(422)
  })
  test('is pinned when an assessment is made: a later version never changes it', async () => {
    const instruments = [{ symbol: 'BTC/USD', session_calendar: 'pinned' }]
    await put('pinned', hours())
    const made = await operator().post('/api/tiers', tier('With hours', { instruments }))
    expect(made.status).toBe(201)
    const id = await world.started('trader:ada', 'with-hours')
    const header = (await world.as('trader:ada').get(`/api/assessments/${id}/journal?kind=header`)).body.items[0].record
    const [row] = await world.deps.db.query<{ text: string }>('select text from trading.document where hash = $1', [
      header.docs['calendar:pinned'],
    ])
    expect(JSON.parse(row!.text)).toMatchObject({ name: 'pinned', version: 1, zone: 'Europe/London' })
    await put('pinned', hours({ weekly: [{ from: { day: 6, time: '09:00' }, to: { day: 6, time: '10:00' } }] }))
    const path = `/api/assessments/${id}/orders`
    const order = { symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '0.01' }
    expect((await world.as('trader:ada').post(path, order)).status).toBe(201)
    const later = await world.started('trader:ada', 'with-hours')
    const closed = await world.as('trader:ada').post(`/api/assessments/${later}/orders`, order)
    expect(refusal(closed)).toEqual([422, 'market_closed', 'symbol'])
  })
})
