import { afterAll, expect, test } from 'bun:test'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEncryptionKey, replaceOwnKey } from './encryption-key.ts'
import { openSecretsFile, rewrapSecretsFile } from './file.ts'

const log = { warn() {} }
const home = mkdtempSync(join(tmpdir(), 'assay-rotate-'))
const elsewhere = mkdtempSync(join(tmpdir(), 'assay-rotate-'))
afterAll(() => {
  for (const folder of [home, elsewhere]) rmSync(folder, { recursive: true })
})
const failure = (work: Promise<unknown>) => work.then(() => 'done', String)
const [oldKey, newKey] = ['old', 'new'].map((name) => new Bun.CryptoHasher('sha256').update(name).digest('hex'))

/** Everything of it is used once, in a folder that nobody has open afterwards. */
async function fill(at: string, encryptionKey?: string) {
  const secrets = await openSecretsFile({ home: at, encryptionKey, log, now: () => 0 })
  await secrets.setSecret('secret/data/a', 'b', 'c')
  const sealed = await secrets.encrypt('k', new Uint8Array([1, 2]), 'place')
  await secrets.createTotp('t', { issuer: 'i', account: 'a' })
  const code = await secrets.generateTotp('t')
  await secrets.close()
  return async (key?: string) => {
    const again = await openSecretsFile({ home: at, encryptionKey: key, log, now: () => 0 })
    expect(await again.getSecret('secret/data/a', 'b')).toBe('c')
    expect(await again.decrypt('k', sealed, 'place')).toEqual(new Uint8Array([1, 2]))
    const anew = await again.encrypt('k', new Uint8Array([3]), 'place')
    expect(anew.split('.')[0]).not.toBe(sealed.split('.')[0])
    expect(await again.decrypt('k', anew, 'place')).toEqual(new Uint8Array([3]))
    expect(await failure(again.decrypt('k', `v1.${anew.split('.')[1]}`, 'place'))).not.toBe('done')
    expect(await failure(again.decrypt('k', `v9.${anew.split('.')[1]}`, 'place'))).toContain('not encrypted under')
    expect(await again.generateTotp('t')).toBe(code)
    await again.close()
  }
}

test('the ENCRYPTION_KEY of a secrets file is replaced: the new one opens all that was there, the old one nothing (V11.2.2)', async () => {
  const reads = await fill(elsewhere, oldKey)
  const before = JSON.parse(readFileSync(join(elsewhere, 'secrets.json'), 'utf8'))
  const [from, to] = [parseEncryptionKey(oldKey!), parseEncryptionKey(newKey!)]
  expect(await rewrapSecretsFile(elsewhere, from, to)).toBe(true)
  await reads(newKey)
  expect(await failure(openSecretsFile({ home: elsewhere, encryptionKey: oldKey, log }))).toContain('is another one')
  // who has the old key and the old file has no key of what is written from now on
  const after = JSON.parse(readFileSync(join(elsewhere, 'secrets.json'), 'utf8'))
  writeBack(elsewhere, { ...after, key: before.key })
  expect(await failure(openSecretsFile({ home: elsewhere, encryptionKey: oldKey, log }))).toContain('damaged')
  writeBack(elsewhere, after)
  // killed before it said so, it is asked again
  expect(await rewrapSecretsFile(elsewhere, from, to)).toBe(false)
  expect(await failure(rewrapSecretsFile(elsewhere, from, parseEncryptionKey('77'.repeat(32))))).toContain(
    'another one',
  )
  await reads(newKey)
})
const writeBack = (at: string, file: object) => Bun.write(join(at, 'secrets.json'), JSON.stringify(file))

test('a key that the folder keeps is replaced; killed between any two steps nothing starts, and the same call ends it', async () => {
  const reads = await fill(home)
  const [key, next] = [join(home, 'encryption.key'), join(home, 'encryption.key.next')]
  const first = readFileSync(key, 'utf8')
  const killed = () => Promise.reject(new Error('killed'))
  const rewrap = (from: Uint8Array, to: Uint8Array) => rewrapSecretsFile(home, from, to)
  const isClosed = async () =>
    expect(await failure(openSecretsFile({ home, log }))).toContain('assay rotate encryption-key goes on with it')

  expect(await failure(replaceOwnKey(home, killed))).toContain('killed')
  await isClosed()
  expect(await failure(replaceOwnKey(home, (from, to) => rewrap(from, to).then(killed)))).toContain('killed')
  await isClosed()
  expect(await replaceOwnKey(home, rewrap)).toBe(false)
  await reads()
  const second = readFileSync(key, 'utf8')
  expect([second === first, existsSync(next)]).toEqual([false, false])

  copyFileSync(key, next)
  await isClosed()
  expect(await replaceOwnKey(home, rewrap)).toBe(false)
  expect(readFileSync(key, 'utf8')).toBe(second)
  expect(await replaceOwnKey(home, rewrap)).toBe(true)
  expect(readFileSync(key, 'utf8')).not.toBe(second)
  await reads()
})
