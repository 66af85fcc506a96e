import { expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { freePort, startPlatform } from './platform.ts'

setDefaultTimeout(60_000)

test('a second process on one data folder refuses and names the first; after a kill -9 the folder is free', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-second-'))
  const home = join(folder, 'home')
  const start = async (log: string) => startPlatform({ home, port: await freePort(), log: join(folder, log) })
  const first = await start('first.log')
  try {
    expect(await first.ready(30_000)).toBe(true)
    const second = await start('second.log')
    expect(await second.ended).toBe(1)
    expect(readFileSync(join(folder, 'second.log'), 'utf8')).toContain(`in use by another Assay (process ${first.pid})`)
    const check = Bun.spawn([process.execPath, 'scripts/cli.ts', 'db', 'check'], {
      cwd: new URL('../../', import.meta.url).pathname,
      env: { ...environment(), ASSAY_HOME: home },
      stderr: 'pipe',
    })
    expect(await check.exited).toBe(2)
    expect(await new Response(check.stderr).text()).toContain(`process ${first.pid}`)
    expect((await fetch(`${first.url}/ready`)).status).toBe(200)

    await first.signal('SIGKILL')
    const third = await start('third.log')
    expect(await third.ready(30_000)).toBe(true)
    expect(await third.signal('SIGTERM')).toBe(0)
  } finally {
    await first.signal('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
})
