/** What holds for every lockstep, in one process and between several. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type TestDatabase, testDatabase } from '../../testing/database.ts'
import { until } from '../../testing/until.ts'
import { systemClock } from '../clock/system.ts'
import { DriverSilentError, type Lockstep } from './lockstep.ts'
import { createDbLockstep } from './lockstep-db.ts'
import { createLockstep } from './lockstep-memory.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
}, 20_000)
afterAll(() => database.drop(), 20_000)

let groups = 0
const log = { warn: () => {} }
/** `process()`: the lockstep as each process of the run has it. */
const kinds: Record<string, (silenceMs?: number) => { process: () => Lockstep }> = {
  'in one process': (silenceMs) => {
    const lockstep = createLockstep('main', systemClock, silenceMs)
    return { process: () => lockstep }
  },
  'between processes': (silenceMs) => {
    const group = `group-${++groups}`
    const options = { db: database.db, clock: systemClock, log, ...(silenceMs ? { silenceMs } : {}) }
    return { process: () => createDbLockstep(group, options) }
  },
}
/** Whether it holds by now, asked after everything that was said before has arrived. */
async function holds(lockstep: Lockstep, asked: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
  // who takes slots is told when they are written, and behind it everything that was said before
  await lockstep.join('owner', 'nobody').takes([])
  return asked(AbortSignal.timeout(100)).then(
    () => true,
    () => false,
  )
}

describe.each(Object.keys(kinds))('lockstep %s', (kind) => {
  const open = kinds[kind]!
  test('an event is released when every owner applied and every driver finished the one before', async () => {
    const { process } = open()
    const [sequencer, one, two, client] = [process(), process(), process(), process()]
    const [a, b] = [one.join('owner', 'a'), two.join('owner', 'b')]
    await a.takes([0, 1])
    await b.takes([2])
    const driver = client.join('driver', 'client')
    await sequencer.driven()
    await sequencer.released(1)
    a.report(1)
    driver.report(1)
    expect(await holds(one, (signal) => sequencer.released(2, signal))).toBe(false)
    b.report(1)
    await sequencer.released(2)
    expect(sequencer.ceiling()).toBe(2)
    await client.applied(1)
    driver.report(500)
    await sequencer.released(500)
    driver.leave()
    await until('it holds nothing back', () => holds(client, (signal) => sequencer.released(501, signal)))
    await sequencer.driven()
  })

  test('an owner that is lost is waited for through its successor, where it stood', async () => {
    const { process } = open()
    const [sequencer, one, two] = [process(), process(), process()]
    const [lost, next] = [one.join('owner', 'lost'), two.join('owner', 'next')]
    await lost.takes([0, 1])
    await next.takes([2])
    lost.report(4)
    next.report(9)
    await sequencer.applied(4)
    expect(await holds(two, (signal) => sequencer.applied(5, signal))).toBe(false)
    await next.takes([0, 1])
    expect(await holds(two, (signal) => sequencer.applied(5, signal))).toBe(false)
    // it wakes up: what it says is not about slots of its own any more
    lost.report(20)
    expect(await holds(one, (signal) => sequencer.applied(5, signal))).toBe(false)
    next.report(9)
    await sequencer.applied(9)
  })

  test('slots that are given away are waited for until somebody takes them', async () => {
    const { process } = open()
    const [sequencer, one, two] = [process(), process(), process()]
    const [from, to] = [one.join('owner', 'from'), two.join('owner', 'to')]
    await from.takes([0, 1])
    from.report(3)
    await from.gives([1])
    from.report(8)
    expect(await holds(one, (signal) => sequencer.applied(4, signal))).toBe(false)
    await to.takes([1])
    to.report(8)
    await sequencer.applied(8)
    from.leave()
    to.report(9)
    expect(await holds(two, (signal) => sequencer.applied(9, signal))).toBe(false)
    await to.takes([0])
    to.report(9)
    await sequencer.applied(9)
  })

  test('a driver that says nothing for too long ends the run', async () => {
    const { process } = open(300)
    const [sequencer, client] = [process(), process()]
    const driver = client.join('driver', 'client')
    driver.report(4)
    await sequencer.released(5)
    const failed = await sequencer.released(7).catch((error) => error)
    expect(failed).toBeInstanceOf(DriverSilentError)
    expect(String(failed)).toContain('driver client')
  })
})

test('reports that the database does not take are written when it does', async () => {
  const group = `group-${++groups}`
  let failing = true
  const db = {
    query: database.db.query.bind(database.db),
    batch: (statements: Parameters<typeof database.db.batch>[0]) =>
      failing ? Promise.reject(new Error('away')) : database.db.batch(statements),
  } as typeof database.db
  const lockstep = createDbLockstep(group, { db, clock: systemClock, log })
  const owner = lockstep.join('owner', 'a')
  const taken = owner.takes([0])
  owner.report(3)
  await Bun.sleep(50)
  failing = false
  await taken
  owner.report(3)
  await lockstep.applied(3)
})
