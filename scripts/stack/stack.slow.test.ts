import { afterAll, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { envFile, lowerStack, raiseStack, stackEnvironment, stackFolder, stackStatus } from '../stack/stack.ts'
import { isStopped } from './processes.ts'

const home = mkdtempSync(join(tmpdir(), 'assay-stack-'))
chmodSync(home, 0o711)
const quiet = () => {}
const up = () => raiseStack(home, quiet, { native: true })
const down = (wipe = false) => lowerStack(home, quiet, wipe)
const pids = async () => Object.fromEntries((await stackStatus(home)).map(({ name, about }) => [name, about?.pid]))
afterAll(async () => {
  await down(true)
  rmSync(home, { recursive: true, force: true })
})
const MS = 180_000

test(
  'up is repeatable: what answers keeps its process, what was killed or hangs is started anew at its address',
  async () => {
    const env = await up()
    const first = await pids()
    expect((await stackStatus(home)).every(({ healthy }) => healthy)).toBe(true)
    expect(await up()).toEqual(env)
    expect(await pids()).toEqual(first)

    process.kill(first.redis!, 'SIGKILL')
    process.kill(first.kafka!, 'SIGSTOP')
    expect(await up()).toEqual(env)
    const second = await pids()
    const kept = Object.keys(first).filter((name) => first[name] === second[name])
    expect(kept).toEqual(['postgres', 'openbao', 'versitygw'])
    expect((await stackStatus(home)).every(({ healthy }) => healthy)).toBe(true)
  },
  MS,
)
test('the file of variables is its owner’s alone and says what up says', async () => {
  expect(stackEnvironment(home)).toEqual(await up())
  expect((await Bun.file(envFile(home)).stat()).mode & 0o777).toBe(0o600)
})
test(
  'down ends what was started and keeps the data; a process that only has a recorded id is left alone',
  async () => {
    const running = await pids()
    const bystander = Bun.spawn(['sleep', '1000'])
    const record = join(stackFolder(home), 'redis', 'server.json')
    const truth = readFileSync(record, 'utf8')
    writeFileSync(record, JSON.stringify({ ...JSON.parse(truth), pid: bystander.pid }))
    await down()
    expect(bystander.exitCode).toBeNull()
    bystander.kill()
    writeFileSync(record, truth)
    await down()
    // gone, or a zombie that nobody has waited for
    expect(Object.values(running).every((pid) => isStopped(pid!))).toBe(true)
    expect(existsSync(join(stackFolder(home), 'postgres', 'data', 'PG_VERSION'))).toBe(true)
    await down(true)
    expect(existsSync(stackFolder(home))).toBe(false)
  },
  MS,
)
