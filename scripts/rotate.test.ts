import { afterAll, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { lockFolder } from '@assay/core/ports/db/lock'
import { openSecretsFile } from '@assay/core/ports/secrets/file'

const home = mkdtempSync(join(tmpdir(), 'assay-rotate-'))
afterAll(() => rmSync(home, { recursive: true }))
const CLI = new URL('cli.ts', import.meta.url).pathname

async function rotate(argv: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, CLI, 'rotate', ...argv], {
    env: { PATH: environment().PATH, HOME: home, ASSAY_HOME: home, ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const said = await Promise.all([child.stdout, child.stderr].map((stream) => new Response(stream).text()))
  return `${await child.exited} ${said.join('')}`.trim()
}
const value = async (encryptionKey?: string) => {
  const secrets = await openSecretsFile({ home, encryptionKey, log: { warn() {} } })
  return secrets.getSecret('secret/data/a', 'b').finally(() => secrets.close())
}
const random = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')

test('assay rotate encryption-key: of a stopped folder, with its own key or that of the environment; a second call changes nothing', async () => {
  expect(await rotate(['encryption-key'])).toStartWith('2 assay rotate: there is no secrets file in')
  const secrets = await openSecretsFile({ home, log: { warn() {} } })
  await secrets.setSecret('secret/data/a', 'b', 'c')
  await secrets.close()
  const first = readFileSync(join(home, 'encryption.key'), 'utf8').trim()

  const unlock = lockFolder(home)
  expect(await rotate(['encryption-key'])).toContain('is in use by another Assay')
  unlock()
  expect(await rotate(['encryption-key'])).toStartWith('0 done')
  const second = readFileSync(join(home, 'encryption.key'), 'utf8').trim()
  expect([second === first, await value()]).toEqual([false, 'c'])

  const next = join(home, 'next')
  const asked = () => rotate(['encryption-key', `--new=${next}`], { ENCRYPTION_KEY: second })
  const third = random()
  writeFileSync(next, `${third}\n`)
  expect(await asked()).toStartWith('0 done')
  expect(await asked()).toStartWith('0 nothing to do')
  expect(await value(third)).toBe('c')
  writeFileSync(next, random())
  expect(await asked()).toContain('the ENCRYPTION_KEY is another one')
}, 60_000)

test('assay rotate says what it can, and makes no database', async () => {
  expect(await rotate(['fields', '--new=x'])).toStartWith('2 assay rotate: usage:')
  expect(await rotate(['email-index'])).toStartWith('2 assay rotate: there is no database in')
  expect(existsSync(join(home, 'pg'))).toBe(false)
  // of a platform whose secrets are elsewhere: none are made here
  const elsewhere = {
    ASSAY_HOME: join(home, 'elsewhere'),
    DATABASE_URL: 'postgres://a:b@127.0.0.1:1/a?sslmode=disable',
  }
  for (const what of ['fields', 'email-index'])
    expect(await rotate([what], elsewhere)).toStartWith(
      '2 assay rotate: VAULT_ADDR is not set, and there is no secrets',
    )
  expect(existsSync(elsewhere.ASSAY_HOME)).toBe(false)
}, 60_000)
