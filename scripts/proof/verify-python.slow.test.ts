import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JournalRecord } from '@assay/core/domain/engine/types'
import { canonical } from '@assay/core/domain/journal/canonical'
import { chain, GENESIS } from '@assay/core/domain/journal/chain'
import { sha256Hex } from '@assay/core/domain/journal/hash'
import { issueReceipts } from '@assay/core/domain/journal/receipt'
import { envelopeSchema } from '@assay/core/domain/proof/archive'
import { type EntryWriter, pack, unpack } from '@assay/core/domain/proof/container'
import { type VerifyOptions, verifyProof } from '@assay/core/domain/proof/verify'
import { ProofWorld, SIGNED_AT, testKey } from '@assay/core/testing/proof-world'
import { plainWorld } from '../../integrations/verify-python/plain-world.ts'
import { ROOT } from '../root.ts'

const VERIFIER = `${ROOT}integrations/verify-python`
const BATCH = `
import json, sys
sys.path.insert(0, sys.argv[1])
from verify import answer
for line in sys.stdin:
    f = json.loads(line)
    print(json.dumps(answer(f['proof'], f['keys'], f.get('receipt'))))
`
const signer = testKey(1)
/** A seed whose account fails after warnings and checkpoints. */
const WITH_VERDICT = 26
const folder = mkdtempSync(join(tmpdir(), 'assay-verify-python-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(argv: string[], stdin = ''): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(argv, { stdin: Buffer.from(stdin) })
  if (exitCode !== 0) throw new Error(`${argv.slice(0, 4).join(' ')}: exit ${exitCode}\n${stderr}`)
  return stdout.toString()
}
/** Python with what requirements.txt pins; made once for its content. */
async function python(): Promise<string> {
  const wanted = sha256Hex(await Bun.file(`${VERIFIER}/requirements.txt`).text()).slice(0, 12)
  const venv = `${ROOT}node_modules/.cache/assay/verify-python-${wanted}`
  if (!existsSync(`${venv}/ready`)) {
    rmSync(venv, { recursive: true, force: true })
    run(['python3', '-m', 'venv', venv])
    run([`${venv}/bin/pip`, 'install', '--quiet', '--requirement', `${VERIFIER}/requirements.txt`])
    writeFileSync(`${venv}/ready`, '')
  }
  return `${venv}/bin/python`
}

interface Case {
  name: string
  bytes: Uint8Array
  options: VerifyOptions
}
/** Exit and place of both verifiers, of all cases in one process. */
async function both(cases: Case[]): Promise<{ name: string; ours: unknown; python: unknown }[]> {
  const lines = cases.map(({ bytes, options }, i) => {
    const at = join(folder, String(i))
    mkdirSync(at, { recursive: true })
    writeFileSync(`${at}/a.proof`, bytes)
    writeFileSync(`${at}/keys.json`, JSON.stringify({ v: 1, keys: options.keys }))
    if (options.receipt) writeFileSync(`${at}/receipt.json`, JSON.stringify(options.receipt))
    const receipt = options.receipt ? { receipt: `${at}/receipt.json` } : {}
    return JSON.stringify({ proof: `${at}/a.proof`, keys: `${at}/keys.json`, ...receipt })
  })
  const answers = run([await python(), '-c', BATCH, VERIFIER], `${lines.join('\n')}\n`)
    .trim()
    .split('\n')
  return Promise.all(
    cases.map(async ({ name, bytes, options }, i) => {
      const { exit, at } = await verifyProof(bytes, options)
      const theirs = JSON.parse(answers[i]!)
      return { name, ours: { exit, at: at ?? null }, python: { exit: theirs.exit, at: theirs.at ?? null } }
    }),
  )
}
const agree = async (cases: Case[]): Promise<number[]> => {
  const results = await both(cases)
  for (const { name, ours, python } of results)
    expect({ name, ...(python as object) }).toEqual({ name, ...(ours as object) })
  return results.map((r) => (r.ours as { exit: number }).exit)
}

type Files = Map<string, string>
const open = (bytes: Uint8Array): Files =>
  new Map([...unpack(bytes).files].map(([name, b]) => [name, new TextDecoder().decode(b)]))
const close = (files: Files): Uint8Array => pack(files as Map<string, EntryWriter | string>)
const linesOf = (files: Files, name: string): string[] => (files.get(name) ?? '').split('\n').slice(0, -1)
const setLines = (files: Files, name: string, lines: readonly string[]): void =>
  void files.set(name, lines.map((l) => `${l}\n`).join(''))
/** The chain and every signature made anew, as an operator with the true key could. */
function resign(files: Files, records: JournalRecord[]): void {
  const envelope = envelopeSchema.parse(JSON.parse(files.get('envelope.json')!))
  const hashes = chain(GENESIS, records)
  const signed = new Set(envelope.receipts.map((r) => r.aseq))
  setLines(
    files,
    'journal.jsonl',
    records.map((r) => canonical(r)),
  )
  envelope.records = records.map((_, i) => [hashes[i]!, SIGNED_AT, null])
  envelope.receipts = records
    .filter((_, i) => signed.has(i))
    .flatMap(({ aseq }) =>
      issueReceipts([{ assessment: envelope.assessment, aseq, hash: hashes[aseq]! }], signer, SIGNED_AT),
    )
  files.set('envelope.json', canonical(envelope))
}
const parsed = (files: Files): JournalRecord[] => linesOf(files, 'journal.jsonl').map((l) => JSON.parse(l))

let whole: ProofWorld
let proof: Uint8Array
const damaged = (
  name: string,
  change: (files: Files) => void,
  options: VerifyOptions = { keys: [signer.key] },
): Case => {
  const files = open(proof)
  change(files)
  return { name, bytes: close(files), options }
}
beforeAll(async () => {
  whole = plainWorld(WITH_VERDICT, 500)
  proof = await whole.proof()
  await python()
}, 120_000)

describe('the verifier in Python agrees with assay verify', () => {
  test('on random worlds: every record follows', async () => {
    const cases = await Promise.all(
      [...Array(10).keys()].map(async (seed) => {
        const bytes = await plainWorld(100 + seed, 250).proof()
        return { name: `seed ${100 + seed}`, bytes, options: { keys: [signer.key] } }
      }),
    )
    expect(new Set(await agree(cases))).toEqual(new Set([0]))
  }, 60_000)
  test('on a record of each kind that was flipped, flipped and signed anew, dropped, repeated', async () => {
    const cases = [...new Set(whole.records.map((r) => r.kind))].flatMap((kind) => {
      const at = whole.records.findLastIndex((r) => r.kind === kind)
      const lines = (change: (lines: string[]) => string[]) => (files: Files) =>
        setLines(files, 'journal.jsonl', change(linesOf(files, 'journal.jsonl')))
      return [
        damaged(
          `flipped ${kind}`,
          lines((l) => l.with(at, canonical({ ...JSON.parse(l[at]!), mts: 1 }))),
        ),
        damaged(`flipped ${kind}, signed`, (f) =>
          resign(
            f,
            parsed(f).map((r, i) => (i === at ? { ...r, mts: r.mts + 1 } : r)),
          ),
        ),
        damaged(
          `dropped ${kind}`,
          lines((l) => l.toSpliced(at, 1)),
        ),
        damaged(
          `repeated ${kind}`,
          lines((l) => l.toSpliced(at, 0, l[at]!)),
        ),
      ]
    })
    expect(new Set(await agree(cases))).toEqual(new Set([1]))
  }, 60_000)
  test('on an event of each stream that was flipped, dropped, repeated, and on parts that are missing', async () => {
    const streams = [...open(proof).keys()].filter((n) => n.startsWith('log/'))
    const cases = streams.flatMap((name) =>
      [0.5].flatMap((share) => {
        const lines = (change: (lines: string[], at: number) => string[]) => (files: Files) =>
          setLines(files, name, change(linesOf(files, name), Math.floor(linesOf(files, name).length * share)))
        const flip = (line: string): string => {
          const leaf = JSON.parse(line)
          return canonical({ ...leaf, e: { ...leaf.e, ts: leaf.e.ts + 1 } })
        }
        return [
          damaged(
            `${name} flipped`,
            lines((l, at) => l.with(at, flip(l[at]!))),
          ),
          damaged(
            `${name} dropped`,
            lines((l, at) => l.toSpliced(at, 1)),
          ),
          damaged(
            `${name} repeated`,
            lines((l, at) => l.toSpliced(at, 0, l[at]!)),
          ),
        ]
      }),
    )
    await agree(cases)
    const parts = ['journal.jsonl', 'envelope.json'].map((name) => damaged(`no ${name}`, (f) => void f.delete(name)))
    const cut = { name: 'cut', bytes: proof.subarray(0, 2_000), options: { keys: [signer.key] } }
    const unsigned = damaged('no key', () => {}, { keys: [] })
    expect(await agree([...parts, cut, unsigned])).toEqual([2, 2, 2, 2])
  }, 60_000)
  test('on receipts: one that is kept, one of another chain, one that was left out', async () => {
    const kept = whole.envelope().find((e) => e.receipt)!.receipt!
    const keys = [signer.key]
    const cases = [
      damaged('kept', () => {}, { keys, receipt: kept }),
      damaged('another', () => {}, { keys, receipt: { ...kept, hash: sha256Hex('another') } }),
      damaged('left out', (files) => {
        const envelope = JSON.parse(files.get('envelope.json')!)
        files.set('envelope.json', canonical({ ...envelope, receipts: envelope.receipts.slice(0, -1) }))
      }),
    ]
    expect((await agree(cases)).slice(0, 2)).toEqual([0, 1])
  }, 60_000)
})

test('what it does not cover is exit 2 with its name, never 0', async () => {
  const w = plainWorld(7, 60)
  const other = new ProofWorld({ ...w.spec, position_mode: 'hedging' })
  for (const { mseq: _, mts, ...tick } of w.events) other.tick(mts, tick as never)
  for (const op of ['create', 'start'] as const) other.command({ op })
  other.seal()
  const at = join(folder, 'hedging.proof')
  writeFileSync(at, await other.proof())
  writeFileSync(`${at}.keys`, JSON.stringify({ v: 1, keys: [signer.key] }))
  const { exitCode, stdout } = Bun.spawnSync([await python(), `${VERIFIER}/verify.py`, at, '--keys', `${at}.keys`])
  expect([exitCode, stdout.toString()]).toEqual([2, 'can not tell: position_mode hedging is not covered\n'])
}, 60_000)
