import { describe, expect, test } from 'bun:test'
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import fc from 'fast-check'
import { testKey } from '../../testing/proof-world.ts'
import { canonical } from './canonical.ts'
import { chain, GENESIS } from './chain.ts'
import { bytesToHex } from './hash.ts'
import { isValidAt, kidOf, rotationText, trustedKeys, verifySignature } from './keys.ts'
import { checkReceipt, commitTree, issueReceipts, type Link, rootOfPath } from './receipt.ts'

const signer = testKey(1)
const trusted = trustedKeys([signer.key])
const linksOf = (n: number): Link[] =>
  Array.from({ length: n }, (_, i) => ({
    assessment: `a${i}`,
    aseq: i,
    hash: createHash('sha256').update(`${i}`).digest('hex'),
  }))

describe('chain', () => {
  test('each hash covers the one before it and the canonical record', () => {
    const records = [
      { aseq: 0, kind: 'checkpoint' },
      { kind: 'checkpoint', aseq: 1 },
    ] as never[]
    const first = createHash('sha256')
      .update(`${'0'.repeat(64)}{"aseq":0,"kind":"checkpoint"}`)
      .digest('hex')
    const second = createHash('sha256').update(`${first}{"aseq":1,"kind":"checkpoint"}`).digest('hex')
    expect(chain(GENESIS, records)).toEqual([first, second])
    expect(chain(first, records.slice(1))).toEqual([second])
  })
})

describe('receipts', () => {
  test('every order of a commit has a path to the one signed root', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), (n) => {
        const links = linksOf(n)
        const { root, paths } = commitTree(links)
        expect(links.map((link, i) => rootOfPath(link, paths[i]!))).toEqual(links.map(() => root))
      }),
      { numRuns: 30 },
    )
  })
  test('a receipt verifies, alone and out of a commit', () => {
    for (const n of [1, 2, 7]) {
      for (const receipt of issueReceipts(linksOf(n), signer, 1000))
        expect(checkReceipt(receipt, trusted)).toBe('valid')
    }
    expect(issueReceipts([], signer, 1000)).toEqual([])
  })
  test('a receipt of another record, place, time or commit size does not', () => {
    const receipt = issueReceipts(linksOf(5), signer, 1000)[2]!
    const path = receipt.path!
    const forged = [
      { ...receipt, aseq: 3 },
      { ...receipt, assessment: 'a3' },
      { ...receipt, hash: 'ab'.repeat(32) },
      { ...receipt, signed_at: 1001 },
      { ...receipt, path: { ...path, index: 3 } },
      { ...receipt, path: { ...path, count: 6 } },
      { ...receipt, path: { ...path, hashes: path.hashes.slice(1) } },
      { ...receipt, path: { ...path, hashes: [...path.hashes, GENESIS] } },
      { ...receipt, path: { ...path, index: -1 } },
      { ...receipt, path: undefined },
      { ...receipt, signature: 'zz' },
    ]
    expect(forged.map((r) => checkReceipt(r, trusted))).toEqual(forged.map(() => 'broken'))
    expect(checkReceipt({ ...receipt, kid: 'other' }, trusted)).toBe('unknown_key')
  })
  test("the runtime's own Ed25519 and the portable one agree", () => {
    const seed = Buffer.alloc(32, 1)
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
    const secret = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
    const text = canonical({ a: 1 })
    const native = bytesToHex(sign(null, Buffer.from(text), secret))
    expect(native).toBe(signer.sign(text))
    const raw = createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')
    expect(raw).toBe(signer.key.public_key)
    expect(verifySignature(raw, text, native)).toBe(true)
  })
})

describe('journal keys', () => {
  test('validity is judged at the time of signing, ends included', () => {
    const key = { ...signer.key, valid_from: 100, valid_to: 200 }
    expect([99, 100, 200, 201].map((at) => isValidAt(key, at))).toEqual([false, true, true, false])
    const [receipt] = issueReceipts(linksOf(1), signer, 201)
    expect(checkReceipt(receipt!, trustedKeys([key]))).toBe('not_valid_then')
  })
  test('a new key is trusted when a trusted one vouched for it, through several rotations', () => {
    const [a, b, c] = [testKey(1), testKey(2), testKey(3)]
    const signed = (key: typeof b, by: typeof a) => ({
      ...key.key,
      signed_by: by.kid,
      signature: by.sign(rotationText(key.key, by.kid)),
    })
    const offered = [signed(c, b), signed(b, a)]
    expect([...trustedKeys([a.key], offered).keys()].sort()).toEqual([a.kid, b.kid, c.kid].sort())
  })
  test('a key that only the archive carries is not', () => {
    const [a, b] = [testKey(1), testKey(2)]
    const self = { ...b.key, signed_by: b.kid, signature: b.sign(rotationText(b.key, b.kid)) }
    const forged = { ...b.key, signed_by: a.kid, signature: b.sign(rotationText(b.key, a.kid)) }
    const renamed = { ...b.key, kid: a.kid }
    expect([...trustedKeys([a.key], [b.key, self, forged, renamed]).values()]).toEqual([a.key])
    expect(trustedKeys([{ ...b.key, kid: kidOf(a.key.public_key) }]).size).toBe(0)
  })
})
