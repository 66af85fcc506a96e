import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { openSmtp } from '@assay/core/ports/mail/smtp'
import { describeReal } from '@assay/core/testing/adapters'
import { databases } from '@assay/core/testing/database'
import { type SmtpServer, startSmtpServer } from '@assay/core/testing/smtp-server'
import { until } from '@assay/core/testing/until'
import pino from 'pino'
import { Registry } from 'prom-client'
import { newPerson, type Person } from '../testing/person.ts'
import { openWorld, UNLIMITED, type World } from '../testing/world.ts'
import { createPostOffice } from './post-office.ts'
import { queueLetter } from './queue-letter.ts'
import { type LetterOutcome, sendLetters } from './send-letters.ts'

const from = 'Assay <assay@platform.example>'
const timeouts = { connectMs: 500, silenceMs: 500, sendMs: 1_000 }
let world: World
let person: Person
beforeAll(async () => {
  world = await openWorld(UNLIMITED)
})
afterAll(() => world.database.drop())
beforeEach(async () => {
  person = await newPerson(world)
  await world.database.db.query('delete from gateway.letters')
})

let askers = 0
const forgot = () =>
  world.ask('POST', '/api/auth/password/forgot', { body: { email: person.email }, address: `10.55.0.${askers++}` })
const waiting = () => world.database.db.query('select * from gateway.letters')
const smtp = (server: { url: string }) =>
  openSmtp({ url: server.url, from, clock: { now: () => world.time.now }, timeouts })
async function send(mail: ReturnType<typeof smtp>, by: World = world) {
  const outcomes: LetterOutcome[] = []
  await sendLetters({
    deps: by.identity,
    mail,
    base: 'https://assay.example',
    onOutcome: (_, outcome) => void outcomes.push(outcome),
  })
  return outcomes
}
/** A server that was there: nobody listens at its port now. */
async function gone(): Promise<SmtpServer> {
  const server = await startSmtpServer({})
  await server.close()
  return server
}

test('with the mail server away nobody waits, and the letter arrives when it is back, also after a restart', async () => {
  const away = await gone()
  const mail = smtp(away)
  const began = performance.now()
  expect((await forgot()).status).toBe(200)
  expect(performance.now() - began).toBeLessThan(1_000)
  expect(await send(mail)).toEqual(['failed'])
  expect(await waiting()).toHaveLength(1)
  // not again before its time
  expect(await send(mail)).toEqual([])
  await world.restart()
  const back = await startSmtpServer({ port: away.port })
  world.time.now += 5_000
  expect(await send(mail)).toEqual(['sent'])
  expect(back.arrived.map(({ to }) => to)).toEqual([[person.email]])
  expect(await waiting()).toEqual([])
  await mail.close()
  await back.close()
})
test('tries come at growing distances, and a letter that is not worth sending any more is given up', async () => {
  const mail = smtp(await gone())
  await forgot()
  const begun = world.time.now
  const waits: number[] = []
  for (let last = begun; ; ) {
    const outcome = await send(mail)
    if (outcome[0] === 'expired') break
    expect(outcome).toEqual(['failed'])
    const [row] = await waiting()
    world.time.now = (row!.next_at as Date).getTime()
    waits.push(world.time.now - last)
    last = world.time.now
  }
  expect(waits.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000])
  expect(Math.max(...waits)).toBeLessThanOrEqual(15 * 60_000)
  expect(world.time.now - begun).toBeLessThan(80 * 60_000)
  expect(await waiting()).toEqual([])
  await mail.close()
})
test('an address that the server does not know is given up at once', async () => {
  const server = await startSmtpServer({ refuse: { to: person.email, code: 550 } })
  const mail = smtp(server)
  await forgot()
  expect(await send(mail)).toEqual(['refused'])
  expect(await waiting()).toEqual([])
  await mail.close()
  await server.close()
})
test('two who send at the same time send a letter once; one whose sender died is sent again under the same id', async () => {
  const server = await startSmtpServer({})
  const mail = smtp(server)
  for (let i = 0; i < 20; i++)
    await queueLetter(world.database.db, { now: () => world.time.now }, { kind: 'password_changed', userId: person.id })
  const another = await openWorld(UNLIMITED, { ...world.database, db: await world.database.another() })
  another.time.now = world.time.now
  const senders = [world, another, world, another]
  const outcomes = (await Promise.all(senders.map((by) => send(mail, by)))).flat()
  expect(outcomes).toEqual(Array(20).fill('sent'))
  expect(server.arrived).toHaveLength(20)

  await forgot()
  const [{ id }] = (await waiting()) as [{ id: string }]
  // taken, then nothing
  await world.database.db.query('update gateway.letters set next_at = $1, attempts = 1', [
    new Date(world.time.now + 60_000),
  ])
  expect(await send(mail)).toEqual([])
  world.time.now += 60_000
  expect(await send(mail)).toEqual(['sent'])
  expect(server.arrived.at(-1)!.source).toContain(`Message-ID: <${id}@platform.example>`)
  await mail.close()
  await server.close()
})
test('the post office sends what is committed at once, and ends with the service', async () => {
  const server = await startSmtpServer({})
  const mail = smtp(server)
  const metrics = new Registry()
  const running = new AbortController()
  // waits as long as asked, or until it is woken
  const clock = {
    now: () => world.time.now,
    monotonic: performance.now.bind(performance),
    sleep: (_: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
  }
  const parts = { db: world.database.db, clock, log: pino({ level: 'silent' }), metrics, mail }
  const ended = createPostOffice(parts, world.identity, 'https://assay.example')(running.signal)
  await forgot()
  await until('the letter is there', () => server.arrived.length === 1)
  await until('it is counted', async () =>
    (await metrics.metrics()).includes('letters_total{kind="password_reset",outcome="sent"} 1'),
  )
  await forgot()
  await until('the second one too', () => server.arrived.length === 2)
  running.abort()
  await ended
  await forgot()
  expect(server.arrived).toHaveLength(2)
  await mail.close()
  await server.close()
})
test('an erased user gets no letter', async () => {
  const server = await startSmtpServer({})
  const mail = smtp(server)
  await forgot()
  const { database } = world.identity
  await database.inTransaction(() => database.destroyKey(person.id))
  expect(await send(mail)).toEqual(['nobody'])
  expect(server.arrived).toEqual([])
  await mail.close()
  await server.close()
})

describeReal('letters', () => {
  let before: World
  beforeAll(async () => {
    before = world
    world = await openWorld(UNLIMITED, await databases.real())
  })
  afterAll(async () => {
    await world.database.drop()
    world = before
  })

  test('a letter that another process takes at this moment is neither waited for nor sent twice', async () => {
    const server = await startSmtpServer({})
    const mail = smtp(server)
    await forgot()
    await forgot()
    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    const { promise: taken, resolve: take } = Promise.withResolvers<void>()
    const another = (await world.database.another()).as('gateway').tx(async (sql) => {
      await sql.query('select id from letters order by next_at limit 1 for update')
      take()
      await held
    })
    await taken
    expect(await send(mail)).toEqual(['sent'])
    release()
    await another
    expect(await send(mail)).toEqual(['sent'])
    await mail.close()
    await server.close()
  })
})
