import { expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JournalKeys, trustedKeys, verifySignature } from '@assay/core/domain/journal/keys'
import { checkReceipt, issueReceipts } from '@assay/core/domain/journal/receipt'
import { ManualClock } from '@assay/core/testing/clock'
import { KEYS_FILE, openJournalKeys } from './keys.ts'

function memorySecrets() {
  const values = new Map<string, string>()
  return {
    values,
    getSecret: async (path: string, key: string) => values.get(`${path} ${key}`) ?? null,
    setSecret: async (path: string, key: string, value: string) => void values.set(`${path} ${key}`, value),
  }
}
const link = { assessment: 'a', aseq: 1, hash: 'ab'.repeat(32) }

test('keys are made at the first start, kept, and published without their secret half', async () => {
  const home = mkdtempSync(join(tmpdir(), 'journal-keys-'))
  try {
    const secrets = memorySecrets()
    const clock = new ManualClock()
    const first = await openJournalKeys({ secrets, clock, home })
    const again = await openJournalKeys({ secrets, clock, home })
    expect(again.document()).toEqual(first.document())
    expect(again.signer.kid).toBe(first.signer.kid)
    const published = JSON.parse(readFileSync(join(home, KEYS_FILE), 'utf8')) as JournalKeys
    expect(published).toEqual(first.document())
    expect(verifySignature(published.keys[0]!.public_key, 'text', first.signer.sign('text'))).toBe(true)
  } finally {
    rmSync(home, { recursive: true })
  }
})

test('after a rotation the old key vouches for the new one, and each is valid in its own time', async () => {
  const clock = new ManualClock()
  const secrets = memorySecrets()
  const ring = await openJournalKeys({ secrets, clock, home: null })
  const kept = ring.document().keys
  const old = issueReceipts([link], ring.signer, clock.now())[0]!
  await clock.advance(1000)
  await ring.rotate()
  await clock.advance(1000)
  const fresh = issueReceipts([link], ring.signer, clock.now())[0]!
  expect(fresh.kid).not.toBe(old.kid)
  // a verifier that was given the first key only
  const trusted = trustedKeys(kept, ring.document().keys)
  expect([old, fresh].map((r) => checkReceipt(r, trusted))).toEqual(['valid', 'valid'])
  const now = trustedKeys(ring.document().keys)
  expect(checkReceipt(issueReceipts([link], { kid: old.kid, sign: () => old.signature }, clock.now())[0]!, now)).toBe(
    'not_valid_then',
  )
  expect([...secrets.values.values()].join()).toContain('"secret":null')
})
