import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { AssayError } from '@assay/core/contracts/errors'
import { auditRecorded, identityRevoked } from '@assay/core/contracts/topics/identity'
import type { Ctx } from '@assay/core/kernel/context'
import { createLifecycle, type Lifecycle } from '@assay/core/kernel/lifecycle'
import { type OutboxBus, type Relay, startRelay } from '@assay/core/kernel/relay'
import { createRemoteTokens } from '@assay/core/kernel/remote-tokens'
import { beatHeart, createHearing, forgetRevoked } from '@assay/core/kernel/revocations'
import type { RevocableVerifier } from '@assay/core/kernel/verify-token'
import { createEmbeddedBus } from '@assay/core/ports/bus/embedded'
import { KafkaBus } from '@assay/core/ports/bus/kafka'
import type { Bus } from '@assay/core/ports/bus/port'
import { systemClock } from '@assay/core/ports/clock/system'
import { applyTopics, withDeadLetters } from '@assay/core/ports/kafka/topics'
import { createMemoryLimits } from '@assay/core/ports/limits/memory'
import { openSecretsFile } from '@assay/core/ports/secrets/file'
import { describeAdapters } from '@assay/core/testing/adapters'
import { type TestDatabase, testPglite } from '@assay/core/testing/database'
import { dropTopics, testKafka } from '@assay/core/testing/kafka'
import { testPostgres } from '@assay/core/testing/postgres'
import { until } from '@assay/core/testing/until'
import { Elysia } from 'elysia'
import { issueKey } from './api-keys/issue-key.ts'
import { revokeKey } from './api-keys/revoke-key.ts'
import { login } from './auth/login.ts'
import { logout } from './auth/logout.ts'
import type { GatewayDeps } from './deps.ts'
import { openIdentity } from './identity.ts'
import { internalRoutes } from './routes/internal.ts'
import { jwksRoutes } from './routes/jwks.ts'
import { endAllSessions, revokeIssued } from './sessions/end-sessions.ts'
import { createUser } from './users/create-user.ts'

/** The bound that every service keeps. */
const WITHIN_MS = 2_000
const PASSWORD = 'correct horse battery'
const log = { info() {}, warn() {}, error() {}, debug() {} }

const TOPICS = [identityRevoked, auditRecorded]

interface TestPlatform {
  database: TestDatabase
  bus: Bus & OutboxBus
  drop(): Promise<void>
}
/** PGlite with the bus in it; PostgreSQL beside Kafka. */
const platforms = {
  async embedded(): Promise<TestPlatform> {
    const database = await testPglite()
    return { database, bus: createEmbeddedBus({ db: database.db, clock: systemClock, log }), drop: database.drop }
  },
  async real(): Promise<TestPlatform> {
    const [database, connection] = [await testPostgres(), testKafka('revocation')]
    const named = withDeadLetters(TOPICS).map((topic) => ({ ...topic, name: connection.named(topic.name) }))
    await applyTopics(connection, named)
    const drop = async () => {
      await dropTopics(connection)
      await database.drop()
    }
    return { database, bus: new KafkaBus({ connection, clock: systemClock, log }), drop }
  },
}

describeAdapters('a revocation, at the other processes', platforms, (openPlatform) => {
  let database: TestDatabase
  let drop: () => Promise<void>
  let lifecycle: Lifecycle
  let bus: TestPlatform['bus']
  let relay: Relay
  /** the gateway that revokes; a service without it; another gateway */
  let gateway: GatewayDeps
  let service: RevocableVerifier
  let other: GatewayDeps
  /** what the service asks the gateway */
  let asked: string[] = []
  let gatewayAway = false
  let people = 0

  const startPublishing = () => {
    relay = startRelay({ db: database.db, bus, clock: systemClock, log, sole: database.db.kind === 'pglite' })
  }

  beforeAll(async () => {
    ;({ database, bus, drop } = await openPlatform())
    lifecycle = createLifecycle({ log })
    startPublishing()
    const secrets = await openSecretsFile({ home: database.home, log })
    const parts = {
      db: database.db,
      secrets,
      clock: systemClock,
      idleMs: 1_800_000,
      requireFactor: false,
      onLimitHit() {},
      onCacheAsked() {},
    }
    gateway = await openIdentity({ ...parts, limits: createMemoryLimits(systemClock) })
    const hearing = createHearing(systemClock)
    other = await openIdentity({ ...parts, limits: createMemoryLimits(systemClock), isCurrent: hearing.isCurrent })
    await forgetRevoked(other.verifier, hearing, { bus, peers: { instance: 'gateway-1' }, lifecycle })

    const app = new Elysia().use(internalRoutes(gateway)).use(jwksRoutes(gateway.keys))
    const hears = createHearing(systemClock)
    service = createRemoteTokens({
      clock: systemClock,
      isCurrent: hears.isCurrent,
      call: async (_, request) => {
        if (gatewayAway) throw new AssayError('unavailable', 'gateway does not answer.')
        asked.push(new URL(request.url).pathname.split('/')[2]!)
        return app.handle(request)
      },
    })
    await forgetRevoked(service, hears, { bus, peers: { instance: 'trading-0' }, lifecycle })
    beatHeart({ bus, db: database.db, clock: systemClock, log, lifecycle })
    await until('both hear', () => hearing.isCurrent() && hears.isCurrent(), 30_000)
  }, 60_000)
  afterAll(async () => {
    await lifecycle.close()
    await relay.close()
    await bus.close()
    await drop()
  }, 30_000)
  beforeEach(() => {
    asked = []
  })

  const ctx = (actor: Ctx['actor'] = null): Ctx => ({ requestId: 'test', actor, address: '203.0.113.1' })
  async function person() {
    const email = `someone${people++}@assay.example`
    const user = await createUser({ input: { email, password: PASSWORD, role: 'trader' }, deps: gateway })
    const logIn = async () => {
      const input = { email, password: PASSWORD, userAgent: 'test' }
      return (await login({ ctx: ctx(), input, deps: gateway })).token
    }
    const token = await logIn()
    const actor = await gateway.verifier.verify(token)
    const key = await issueKey({ ctx: ctx(actor), input: { name: 'bot' }, deps: gateway })
    return { id: user.id, token, actor, key, logIn }
  }
  const verdict = (verifier: RevocableVerifier, credential: string) =>
    verifier.verify(credential).then(
      () => 'accepted',
      (error) => error.code as string,
    )
  /** How long the credential was still taken anywhere, ms. */
  async function takenFor(credential: string): Promise<number> {
    const from = performance.now()
    for (const verifier of [service, other.verifier])
      await until('it is refused', async () => (await verdict(verifier, credential)) === 'unauthorized')
    return performance.now() - from
  }
  /** Both remember it: asking again costs no look-up. */
  async function remembered(...credentials: string[]): Promise<void> {
    for (const credential of credentials)
      for (const verifier of [service, other.verifier]) expect(await verdict(verifier, credential)).toBe('accepted')
    asked = []
    for (const credential of credentials) await verdict(service, credential)
    expect(asked).toEqual([])
  }

  test('a session, a key, and everything of a user are refused by a service and by another gateway within 2 s', async () => {
    const { id, token, actor, key, logIn } = await person()
    const [second, bystander] = [await logIn(), await person()]
    await remembered(token, second, key.key, bystander.token)
    await logout({ ctx: ctx(actor), deps: gateway })
    expect(await takenFor(token)).toBeLessThan(WITHIN_MS)
    expect(await verdict(service, second)).toBe('accepted')

    await revokeKey({ ctx: ctx(await gateway.verifier.verify(second)), input: { id: key.id }, deps: gateway })
    expect(await takenFor(key.key)).toBeLessThan(WITHIN_MS)

    // a change of role: the session goes on, with other tokens
    await gateway.database.inTransaction((sql) => revokeIssued(sql, id))
    expect(await takenFor(second)).toBeLessThan(WITHIN_MS)
    const third = await logIn()
    await remembered(third)
    await gateway.database.inTransaction((sql) => endAllSessions(sql, id))
    expect(await takenFor(third)).toBeLessThan(WITHIN_MS)
    expect(await verdict(service, bystander.token)).toBe('accepted')
  }, 20_000)

  test('a disabled user loses sessions and API keys everywhere within 2 s', async () => {
    const { id, token, key } = await person()
    await remembered(token, key.key)
    await gateway.database.inTransaction(async (sql) => {
      await sql.query('update users set disabled_at = now() where id = $1', [id])
      await endAllSessions(sql, id)
    })
    expect(await takenFor(token)).toBeLessThan(WITHIN_MS)
    expect(await takenFor(key.key)).toBeLessThan(WITHIN_MS)
  }, 20_000)

  test('with the bus away the same holds: every process asks for each credential, and takes none while nobody answers', async () => {
    const { token, actor, key } = await person()
    await remembered(token, key.key)
    // nothing is published from here on: the revocation waits, and the heart stops with it
    await relay.close()
    await logout({ ctx: ctx(actor), deps: gateway })
    expect(await takenFor(token)).toBeLessThan(WITHIN_MS)
    await until('each use of a living key is a question', async () => {
      asked = []
      await verdict(service, key.key)
      return asked.length === 1
    })
    gatewayAway = true
    expect(await verdict(service, key.key)).toBe('unavailable')
    gatewayAway = false
    expect(await verdict(service, key.key)).toBe('accepted')
    startPublishing()
    await until('it is remembered again', async () => {
      asked = []
      await verdict(service, key.key)
      return asked.length === 0
    })
  }, 15_000)
})
