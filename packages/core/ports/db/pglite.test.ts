import { afterAll, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testPglite } from '../../testing/database.ts'
import { lockFolder } from './lock.ts'
import { openPglite } from './pglite.ts'
import { DbError } from './port.ts'

const log = { info: () => {}, error: () => {} }
const folders: string[] = []
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'assay-pglite-'))
  folders.push(made)
  return made
}
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true })
})
const inAnotherProcess = (script: string, ...args: string[]) =>
  Bun.spawn([process.execPath, '-e', script, ...args], { cwd: import.meta.dir, stdout: 'pipe', stderr: 'pipe' })

test('a second process on the folder is refused and told which process has it', async () => {
  const home = folder()
  const unlock = lockFolder(home)
  const script = `import { lockFolder } from './lock.ts'; try { lockFolder(process.argv[1]) } catch (e) { console.log(e.message) }`
  const refused = await new Response(inAnotherProcess(script, home).stdout).text()
  expect(refused).toContain(`${home} is in use by another Assay (process ${process.pid})`)
  unlock()
  expect(await new Response(inAnotherProcess(script, home).stdout).text()).toBe('')
})

test('the lock of a killed process is free at once', async () => {
  const home = folder()
  const holder = inAnotherProcess(
    `import { lockFolder } from './lock.ts'; lockFolder(process.argv[1]); console.log('held'); setInterval(() => {}, 1000)`,
    home,
  )
  await holder.stdout.getReader().read()
  expect(() => lockFolder(home)).toThrow(`process ${holder.pid}`)
  holder.kill('SIGKILL')
  await holder.exited
  lockFolder(home)()
})

test('what was committed before a kill -9 is there afterwards', async () => {
  const { db, home, drop } = await testPglite()
  await db.script('create table public.kept (id integer)')
  await db.close()
  const writer = inAnotherProcess(
    `import { openPglite } from './pglite.ts'
     const db = await openPglite({ home: process.argv[1], log: { info() {}, error() {} } })
     for (let id = 1; ; id++) { await db.query('insert into kept values ($1)', [id]); console.log(id) }`,
    home,
  )
  const acknowledged = writer.stdout.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (text.split('\n').length < 50) {
    const { done, value } = await acknowledged.read()
    if (done) throw new Error(`the writer ended: ${await new Response(writer.stderr).text()}`)
    text += value
  }
  writer.kill('SIGKILL')
  await writer.exited
  for (let rest = await acknowledged.read(); !rest.done; rest = await acknowledged.read()) text += rest.value
  const last = Math.max(...text.split('\n').slice(0, -1).map(Number))
  const again = await openPglite({ home, log })
  const [row] = await again.query<{ n: number; top: number }>('select count(*)::int as n, max(id) as top from kept')
  expect(row!.n).toBe(row!.top)
  expect(row!.top).toBeGreaterThanOrEqual(last)
  await again.close()
  await drop()
}, 20_000)

test('a statement that takes too long fails as unknown, and the next one is served', async () => {
  const { db: first, home, drop } = await testPglite()
  await first.close()
  const db = await openPglite({ home, log, timeoutMs: 300 })
  const slow = await db.query('select count(*) from generate_series(1, 6000000)').catch((error) => error)
  expect([slow.code, slow.options.outcomeUnknown]).toEqual(['57014', true])
  let answer: unknown
  for (const until = Date.now() + 10_000; answer === undefined && Date.now() < until; ) {
    answer = await db.query('select 1 as one').catch(() => undefined)
  }
  expect(answer).toEqual([{ one: 1 }])
  await db.close()
  await drop()
}, 20_000)

test('a read by Prisma waits for the only connection as other statements do; what waits too long may be tried again', async () => {
  const { db: first, home, drop } = await testPglite()
  await first.close()
  const outcomes: unknown[] = []
  for (const timeoutMs of [20_000, 1_500]) {
    const db = await openPglite({ home, log, timeoutMs })
    const of = db.as('trading').forTenant('acme')
    const free = Promise.withResolvers<void>()
    const busy = db.tx(async (sql) => {
      await sql.query('select 1')
      await free.promise
    })
    const read = of.prisma.tier.findFirst().then(
      (tier) => tier,
      (error) => (error instanceof DbError ? error.options.retryable : error),
    )
    // longer than Prisma's own patience, which is 2 s
    await Bun.sleep(2_300)
    free.resolve()
    await busy
    outcomes.push(await read)
    await db.close()
  }
  expect(outcomes).toEqual([null, true])
  await drop()
}, 60_000)

test('a folder whose making was interrupted is made again', async () => {
  const { db, home, drop } = await testPglite()
  await db.close()
  const again = folder()
  await Bun.write(join(again, 'pg.new', 'half'), 'made')
  const made = await openPglite({ home: again, log, template: join(home, 'pg') })
  expect(await made.query('select count(*)::int as n from bus.lane')).toEqual([{ n: 16 }])
  expect(existsSync(join(again, 'pg.new'))).toBe(false)
  await made.close()
  await drop()
}, 20_000)

test('a close waits for what is under way, and ends', async () => {
  const { db, home, drop } = await testPglite()
  const under = db.query<{ n: number }>('select count(*)::int as n from generate_series(1, 300000)')
  await Bun.sleep(1)
  await Promise.race([db.close(), Bun.sleep(10_000).then(() => Promise.reject(new Error('it never ended')))])
  expect(await under).toEqual([{ n: 300_000 }])
  await (await openPglite({ home, log })).close()
  await drop()
}, 20_000)
