import { afterAll, beforeAll, expect, test } from 'bun:test'
import { AssayError } from '@assay/core/contracts/errors'
import type { Ctx } from '@assay/core/kernel/context'
import { describeAdapters } from '@assay/core/testing/adapters'
import { databases, type TestDatabase } from '@assay/core/testing/database'
import { ABANDONED_MS, forgetOldKeys, KEPT_MS, type Once, once } from './once.ts'

describeAdapters('idempotency keys', databases, (openDatabase) => {
  let database: TestDatabase
  let now = Date.parse('2026-01-01T00:00:00Z')
  beforeAll(async () => {
    database = await openDatabase()
  })
  afterAll(() => database.drop())

  const deps = () => ({ db: database.db.as('trading'), clock: { now: () => now } })
  const ctx = (userId: string) => ({ requestId: 'r', address: '', actor: { userId, tenant: 'default' } }) as Ctx
  const asked = (key: string, body: unknown = { a: 1 }, userId = 'u1'): Once => ({
    ctx: ctx(userId),
    route: 'POST /api/things',
    key,
    body,
  })
  const code = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: AssayError) => error.code,
    )

  test('a repeat with the same key and body gets the first answer and has no second effect', async () => {
    let effects = 0
    const effect = () =>
      once<string>(deps(), asked('k1'), async ({ subject, keep }) => {
        effects++
        await keep(deps().db, { value: subject })
        return subject
      })
    const first = await effect()
    expect(await effect()).toBe(first)
    expect(effects).toBe(1)
  })
  test('the same key with another body is refused, of another user it is another key', async () => {
    const effect = async ({
      keep,
    }: {
      keep: (sql: ReturnType<typeof deps>['db'], answer: { value: string }) => Promise<void>
    }) => {
      await keep(deps().db, { value: 'x' })
      return 'x'
    }
    await once(deps(), asked('k2'), effect)
    expect(await code(once(deps(), asked('k2', { a: 2 }), effect))).toBe('idempotency_key_reused')
    expect(await code(once(deps(), asked('k2', { a: 2 }, 'u2'), effect))).toBe('done')
  })
  test('while the first attempt runs a repeat is refused; a broken one is taken over under its own subject', async () => {
    const subjects: string[] = []
    const first = Promise.withResolvers<void>()
    const running = once(deps(), asked('k3'), async ({ subject }) => {
      subjects.push(subject)
      first.resolve()
      await new Promise(() => {})
    })
    void running
    await first.promise
    expect(await code(once(deps(), asked('k3'), async () => 'never'))).toBe('idempotency_in_progress')
    now += ABANDONED_MS
    await once(deps(), asked('k3'), async ({ subject, keep }) => {
      subjects.push(subject)
      await keep(deps().db, { value: 'taken over' })
    })
    expect(subjects[1]).toBe(subjects[0])
    expect(await once<string>(deps(), asked('k3'), async () => 'never')).toBe('taken over')
  })
  test('a refusal that did nothing frees the key; one that was kept is answered again', async () => {
    const refuse = () => once(deps(), asked('k4'), async () => Promise.reject(new AssayError('not_found', 'no')))
    expect(await code(refuse())).toBe('not_found')
    const kept = once(deps(), asked('k4', { a: 3 }), async ({ keep }) => {
      await keep(deps().db, { refusal: { code: 'payment_refused', detail: 'no money' } })
      throw new AssayError('payment_refused', 'no money')
    })
    expect(await code(kept)).toBe('payment_refused')
    expect(await code(once(deps(), asked('k4', { a: 3 }), async () => 'never'))).toBe('payment_refused')
  })
  test('of attempts that race one has the effect', async () => {
    let effects = 0
    const attempts = Array.from({ length: 8 }, () =>
      code(
        once(deps(), asked('k5'), async ({ keep }) => {
          effects++
          await keep(deps().db, { value: 1 })
        }),
      ),
    )
    const codes = await Promise.all(attempts)
    expect(effects).toBe(1)
    expect(codes.every((one) => one === 'done' || one === 'idempotency_in_progress')).toBe(true)
  })
  test('after 24 hours the key is new, and the sweep drops what is older', async () => {
    const effect = (value: string) =>
      once<string>(deps(), asked('k6'), async ({ keep }) => {
        await keep(deps().db, { value })
        return value
      })
    expect(await effect('first')).toBe('first')
    now += KEPT_MS
    expect(await effect('second')).toBe('second')
    now += KEPT_MS
    expect(await forgetOldKeys(deps())).toBeGreaterThan(0)
    expect(await database.db.query('select key from trading.idempotency')).toEqual([])
  })
  test('a key that is no header value is refused by name', async () => {
    expect(await code(once(deps(), asked('with space'), async () => 1))).toBe('validation_failed')
  })
})
