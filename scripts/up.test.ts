import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { ROOT } from './root.ts'

const home = mkdtempSync(join(tmpdir(), 'assay-up-'))
const env = { ...environment(), ASSAY_HOME: home, NODE_ENV: 'development' }
const start = (...argv: string[]) =>
  Bun.spawn([process.execPath, `${ROOT}scripts/cli.ts`, ...argv], { cwd: home, env, stdout: 'pipe', stderr: 'pipe' })
const end = async (child: ReturnType<typeof start>) => ({
  code: await child.exited,
  out: (await new Response(child.stdout).text()) + (await new Response(child.stderr).text()),
})

let platform: ReturnType<typeof start>
let url = ''
beforeAll(async () => {
  platform = start('up', '--port=0')
  url = await ready()
}, 30_000)
afterAll(() => {
  platform.kill('SIGKILL')
  rmSync(home, { recursive: true, force: true })
})

/** The address of the platform on `home`, once it is ready. */
async function ready(): Promise<string> {
  const deadline = performance.now() + 20_000
  for (;;) {
    try {
      const found = (JSON.parse(readFileSync(join(home, 'instance.json'), 'utf8')) as { url: string }).url
      if ((await fetch(`${found}/ready`)).ok) return found
    } catch {
      // not yet
    }
    if (performance.now() > deadline) throw new Error('not ready within 20 s')
    await Bun.sleep(20)
  }
}

test('up serves the platform and status finds it', async () => {
  expect(await (await fetch(`${url}/api`)).json()).toMatchObject({ name: 'assay' })
  const { code, out } = await end(start('status'))
  expect({ code, found: out.includes(url) }).toEqual({ code: 0, found: true })
})
test('a second process on the same data folder is refused with exit 1 and the reason', async () => {
  const { code, out } = await end(start('up', '--port=0'))
  expect(code).toBe(1)
  expect(out).toContain('is in use by another Assay')
})
test('clean does not touch the data of a running platform', async () => {
  expect((await end(start('clean', '--yes'))).code).toBe(1)
})
test('Ctrl-C drains and exits 0, having said how to log in; the next start works on the same data', async () => {
  platform.kill('SIGINT')
  const { code, out } = await end(platform)
  expect(code).toBe(0)
  expect(out).toContain('Assay is up')
  expect(out).toContain('password:')
  expect((await end(start('status'))).code).toBe(1)

  platform = start('up', '--port=0')
  url = await ready()
  expect((await end(start('stop'))).code).toBe(0)
  expect(await end(platform)).toMatchObject({ code: 0, out: expect.not.stringContaining('password:') })
}, 30_000)
test('a configuration that cannot work stops the start and names the variable', async () => {
  const child = Bun.spawn([process.execPath, `${ROOT}scripts/cli.ts`, 'up'], {
    cwd: home,
    env: { ...env, LOG_LEVEL: 'loud', CLICKHOUSE_URL: 'http://x' },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const { code, out } = await end(child)
  expect(code).toBe(1)
  expect(out).toContain('LOG_LEVEL:')
  expect(out).toContain('CLICKHOUSE_URL:')
})
test('a broker that is not there stops the start by its address, without a stack', async () => {
  const child = Bun.spawn([process.execPath, `${ROOT}scripts/cli.ts`, 'up', '--port=0'], {
    cwd: home,
    env: { ...env, ASSAY_HOME: join(home, 'apart'), KAFKA_BROKERS: '127.0.0.1:1' },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const { code, out } = await end(child)
  expect(code).toBe(1)
  expect(out).toContain('assay up: Kafka at 127.0.0.1:1 does not answer')
  expect(out).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m)
}, 120_000)
test('an unknown command or option exits 2 and names the nearest', async () => {
  expect(await end(start('dmeo'))).toMatchObject({ code: 2, out: expect.stringContaining('did you mean demo?') })
  expect(await end(start('up', '--prot=1'))).toMatchObject({ code: 2, out: expect.stringContaining('--port') })
})
