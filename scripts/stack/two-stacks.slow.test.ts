import { afterAll, expect, test } from 'bun:test'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectOf } from './compose.ts'
import { takenByAnother } from './listeners.ts'
import { identityOf } from './processes.ts'
import { readRecord } from './records.ts'
import { SERVER_NAMES } from './server.ts'
import { envFile, lowerStack, raiseStack, stackEnvironment, stackFolder, stackStatus } from './stack.ts'

const homes = ['a', 'b', 'copy'].map((name) => mkdtempSync(join(tmpdir(), `assay-two-${name}-`)))
for (const home of homes) chmodSync(home, 0o711)
const [a, b, copy] = homes as [string, string, string]
const quiet = () => {}
const MS = 300_000
afterAll(async () => {
  await Promise.all(homes.map((home) => lowerStack(home, quiet, true)))
  for (const home of homes) rmSync(home, { recursive: true, force: true })
}, MS)
const records = (home: string) => SERVER_NAMES.map((name) => readRecord(join(stackFolder(home), name))!)
const pids = (home: string) => records(home).map(({ pid }) => pid)

test(
  'stacks of two data folders started at the same moment share no server: each has ports that its own process listens at',
  async () => {
    const [ofA, ofB] = await Promise.all([a, b].map((home) => raiseStack(home, quiet, { native: true })))
    for (const name of ['DATABASE_URL', 'KAFKA_BROKERS', 'REDIS_URL', 'VAULT_ADDR', 'S3_ENDPOINT'])
      expect(ofA![name]).not.toBe(ofB![name]!)
    expect(new Set([...pids(a), ...pids(b)]).size).toBe(2 * SERVER_NAMES.length)
    for (const { pid, ports, address } of [...records(a), ...records(b)]) {
      expect(takenByAnother(pid, Object.values(ports))).toBeUndefined()
      expect(address).toEndWith(String(Object.values(ports)[0]))
    }
    for (const home of [a, b]) expect((await stackStatus(home)).every(({ healthy }) => healthy)).toBe(true)
  },
  MS,
)
test(
  'a port that another process took meanwhile is left to it: the server gets another one, and the variables say it',
  async () => {
    const redis = records(a)[SERVER_NAMES.indexOf('redis')]!
    process.kill(redis.pid, 'SIGKILL')
    for (const end = performance.now() + 10_000; identityOf(redis.pid); await Bun.sleep(10))
      if (performance.now() > end) throw new Error('redis has not ended')
    const intruder = Bun.listen({ hostname: '127.0.0.1', port: redis.ports.redis!, socket: { data() {} } })
    const said: string[] = []
    const env = await raiseStack(a, (line) => said.push(line), { native: true })
    intruder.stop(true)
    expect(said.join('\n')).toContain(`redis: port ${intruder.port} is taken by process ${process.pid} (`)
    expect(env.REDIS_URL).not.toContain(String(intruder.port))
    expect(stackEnvironment(a)).toEqual(env)
    expect((await stackStatus(a)).every(({ healthy }) => healthy)).toBe(true)
  },
  MS,
)
test('variables that point at another stack’s server do not make it healthy', async () => {
  const own = await Bun.file(envFile(b)).text()
  await Bun.write(envFile(b), await Bun.file(envFile(a)).text())
  const asked = await stackStatus(b)
  await Bun.write(envFile(b), own)
  expect(asked.map(({ running, healthy }) => ({ running, healthy }))).toEqual(
    SERVER_NAMES.map(() => ({ running: true, healthy: false })),
  )
})
test('a copy of a data folder has no running server, and ends none of the original', async () => {
  for (const name of SERVER_NAMES) {
    mkdirSync(join(stackFolder(copy), name), { recursive: true })
    cpSync(join(stackFolder(a), name, 'server.json'), join(stackFolder(copy), name, 'server.json'))
  }
  cpSync(envFile(a), envFile(copy))
  expect((await stackStatus(copy)).some(({ running }) => running)).toBe(false)
  await lowerStack(copy, quiet, false)
  expect((await stackStatus(a)).every(({ healthy }) => healthy)).toBe(true)
})
test('containers of two data folders are two projects', () => {
  expect(projectOf(a)).toBe(projectOf(`${a}/`))
  expect(projectOf(a)).not.toBe(projectOf(b))
  expect(projectOf(a)).toMatch(/^[a-z0-9][a-z0-9_-]*$/)
})
