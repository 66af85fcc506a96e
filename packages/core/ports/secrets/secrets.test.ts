import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeAdapters } from '../../testing/adapters.ts'
import { testVault } from '../../testing/vault.ts'
import { secretsContract } from './contract.ts'
import { openSecretsFile } from './file.ts'
import { totpCode, totpStep } from './totp.ts'
import { openVault } from './vault.ts'

const log = { warn: () => {} }
const folders: string[] = []
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'assay-secrets-'))
  folders.push(made)
  return made
}
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true })
})

const real = async () => {
  const server = await testVault()
  const secrets = await openVault(server.options)
  const close = async () => {
    await secrets.close()
    await server.close()
  }
  return { ...secrets, close }
}
describeAdapters('secrets', { embedded: () => openSecretsFile({ home: folder(), log }), real }, secretsContract)

test('TOTP codes are those of RFC 6238, appendix B', () => {
  const key = { key: Buffer.from('12345678901234567890').toString('base64'), used: -1 }
  const codes = [59, 1_111_111_109, 1_111_111_111, 1_234_567_890, 2_000_000_000, 20_000_000_000]
  expect(codes.map((s) => totpCode(key, s * 1_000))).toEqual([
    '287082',
    '081804',
    '050471',
    '005924',
    '279037',
    '353130',
  ])
  expect(totpStep(key, '287082', 89_999)).toBe(1)
  expect(totpStep(key, '287082', 90_000)).toBeNull()
  expect(totpStep({ ...key, used: 1 }, '287082', 59_000)).toBeNull()
})

test('secrets and keys survive a restart; the file shows none of them and only its owner reads it', async () => {
  const home = folder()
  const before = await openSecretsFile({ home, log })
  await before.setSecret('secret/data/stripe', 'key', 'sk_visible')
  const sealed = await before.encrypt('k', new Uint8Array([1, 2, 3]), 'c')
  await before.close()
  const after = await openSecretsFile({ home, log })
  expect(await after.getSecret('secret/data/stripe', 'key')).toBe('sk_visible')
  expect(await after.decrypt('k', sealed, 'c')).toEqual(new Uint8Array([1, 2, 3]))
  expect(readFileSync(join(home, 'secrets.json'), 'utf8')).not.toMatch(/sk_visible|stripe/)
  for (const file of readdirSync(home)) expect([file, statSync(join(home, file)).mode & 0o777]).toEqual([file, 0o600])
})

test('a made key is announced once, with the place it is in', async () => {
  const home = folder()
  const notices: unknown[] = []
  const open = () => openSecretsFile({ home, log: { warn: (facts: unknown) => notices.push(facts) } as never })
  await open()
  await open()
  expect(notices).toEqual([{ path: join(home, 'encryption.key') }])
})

test('another ENCRYPTION_KEY, a damaged file and a key of the wrong size are clear errors (V11.3.3)', async () => {
  const home = folder()
  const key = Buffer.alloc(32, 7)
  const secrets = await openSecretsFile({ home, encryptionKey: key.toString('hex'), log })
  await secrets.setSecret('secret/data/a', 'b', 'c')
  expect(
    await (await openSecretsFile({ home, encryptionKey: key.toString('base64'), log })).getSecret('secret/data/a', 'b'),
  ).toBe('c')
  const failure = (encryptionKey: string) =>
    openSecretsFile({ home, encryptionKey, log }).then(
      () => '',
      (error) => error.message,
    )
  expect(await failure(Buffer.alloc(32, 8).toString('base64'))).toContain(
    'the ENCRYPTION_KEY is another one, or the file is damaged',
  )
  expect(await failure('short')).toContain('must be 32 bytes')
  await Bun.write(join(home, 'secrets.json'), readFileSync(join(home, 'secrets.json'), 'utf8').slice(0, -20))
  expect(await failure(key.toString('hex'))).toContain('damaged')
})
