import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256Hex } from '@assay/core/domain/journal/hash'
import { verifyProof } from '@assay/core/domain/proof/verify'
import { environment } from '@assay/core/kernel/config'
import { ProofWorld, testKey } from '@assay/core/testing/proof-world'
import { plainWorld } from '../../integrations/verify-python/plain-world.ts'
import { ROOT } from '../root.ts'

const VERIFIER = `${ROOT}integrations/verify-python`
const PROOFS = `${ROOT}packages/core/domain/proof/`
const BATCH = `
import json, os, sys
sys.path.insert(0, sys.argv[1])
from verify import answer
for line in sys.stdin:
    at = line.strip()
    receipt = at + '/receipt.json'
    kept = receipt if os.path.exists(receipt) else None
    print(json.dumps(answer(at + '/a.proof', at + '/keys.json', kept)), flush=True)
`
/** In the place of `verifyProof`: keeps what it was given and what it answered, but for --against, which Python has not. */
const KEEPER = `
import { mkdirSync, writeFileSync } from 'node:fs'
import { verifyProof as verify } from '${PROOFS}verify.ts'
export async function verifyProof(bytes, options) {
  if (options.against) return verify(bytes, options)
  const at = process.env.KEPT + '/' + crypto.randomUUID()
  mkdirSync(at, { recursive: true })
  writeFileSync(at + '/a.proof', bytes)
  writeFileSync(at + '/keys.json', JSON.stringify({ v: 1, keys: options.keys }))
  if (options.receipt) writeFileSync(at + '/receipt.json', JSON.stringify(options.receipt))
  const result = await verify(bytes, options)
  writeFileSync(at + '/expected.json', JSON.stringify({ exit: result.exit, at: result.at ?? null }))
  return result
}
`
/** Eight of them fail, most with warnings, 2 and 16 with positions that are closed later; 5 and 95 reach their target. */
const SEEDS = [2, 5, 16, 21, 26, 29, 35, 79, 95, 120]
/** Breaches on marks that are not valid, and a passed phase with positions that stay: exit 2. */
const BEYOND = [15, 38, 132]
const signer = testKey(1)
const folder = mkdtempSync(join(tmpdir(), 'assay-verify-python-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(argv: string[], more: { stdin?: string; env?: Record<string, string> } = {}): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(argv, {
    stdin: Buffer.from(more.stdin ?? ''),
    env: { ...environment(), ...more.env },
  })
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
/** One archive in a folder of its own, with what `assay verify` says of it. */
async function keep(name: string, bytes: Uint8Array, keys = [signer.key]): Promise<string> {
  const at = join(folder, name)
  mkdirSync(at, { recursive: true })
  writeFileSync(`${at}/a.proof`, bytes)
  writeFileSync(`${at}/keys.json`, JSON.stringify({ v: 1, keys }))
  const { exit, at: place } = await verifyProof(bytes, { keys })
  writeFileSync(`${at}/expected.json`, JSON.stringify({ exit, at: place ?? null }))
  return at
}
/** The exits of both are the same, but for what Python says it does not cover; the exits of `assay verify`, and those. */
async function agree(archives: string[]): Promise<{ exits: number[]; beyond: string[]; places: (number | null)[] }> {
  const answers = run([await python(), '-c', BATCH, VERIFIER], { stdin: `${archives.join('\n')}\n` })
  const said = answers.trim().split('\n')
  const pairs = archives.map((archive, i) => ({
    archive,
    theirs: JSON.parse(said[i]!),
    ours: JSON.parse(readFileSync(`${archive}/expected.json`, 'utf8')),
  }))
  const isBeyond = (theirs: { exit: number; reason: string }, exit: number): boolean =>
    theirs.exit === 2 && exit !== 2 && theirs.reason.endsWith('is not covered')
  const covered = pairs.filter(({ theirs, ours }) => !isBeyond(theirs, ours.exit))
  for (const { archive, theirs, ours } of covered) {
    const { reason } = theirs
    expect({ archive, reason, exit: theirs.exit }).toEqual({ archive, reason, exit: ours.exit })
  }
  return {
    exits: pairs.map(({ ours }) => ours.exit),
    beyond: pairs.filter((pair) => !covered.includes(pair)).map(({ theirs }) => theirs.reason),
    places: pairs.map(({ theirs, ours }) => (theirs.at?.aseq === ours.at?.aseq ? (ours.at?.aseq ?? null) : -1)),
  }
}
const worlds = (seeds: number[]): Promise<string[]> =>
  Promise.all(seeds.map(async (seed) => keep(`seed-${seed}`, await plainWorld(seed, 250).proof())))
beforeAll(async () => void (await python()), 120_000)

describe('the verifier in Python agrees with assay verify', () => {
  test('on every archive of its own tests, whole and damaged', async () => {
    const kept = join(folder, 'own')
    mkdirSync(kept)
    const place = (name: string): string => {
      if (name === 'bun:test') return name
      return name === './verify.ts' ? `${folder}/keeper.ts` : Bun.resolveSync(name, PROOFS)
    }
    writeFileSync(`${folder}/keeper.ts`, KEEPER)
    for (const name of ['verify.test.ts', 'verify-damage.test.ts']) {
      const text = await Bun.file(PROOFS + name).text()
      writeFileSync(
        `${folder}/${name}`,
        text.replace(/from '([^']+)'/g, (_, name) => `from '${place(name)}'`),
      )
      run([process.execPath, 'test', '--timeout', '60000', `${folder}/${name}`], { env: { KEPT: kept } })
    }
    const { exits, beyond, places } = await agree(readdirSync(kept).map((name) => join(kept, name)))
    expect(new Set(beyond)).toEqual(new Set(['can not tell: a log that is cited is not covered']))
    expect(beyond.length).toBeLessThan(6)
    expect(places.filter((place) => place === -1).length).toBeLessThan(exits.length / 4)
    expect([0, 1, 2].every((exit) => exits.filter((e) => e === exit).length > 5)).toBe(true)
    expect(exits.length).toBeGreaterThan(200)
  }, 120_000)
  test('on random worlds: every record follows', async () => {
    const { exits, beyond } = await agree(await worlds(SEEDS))
    expect([new Set(exits), beyond]).toEqual([new Set([0]), []])
  }, 60_000)
  test('what a random world meets beyond its table is exit 2, never 0 or 1', async () => {
    const { beyond } = await agree(await worlds(BEYOND))
    expect(beyond.sort()).toEqual([
      'can not tell: a breach by a mark that is not valid is not covered',
      'can not tell: a breach by a mark that is not valid is not covered',
      'can not tell: a next phase with positions of the one before is not covered',
    ])
  }, 60_000)
  test('on a warning and a verdict that were changed and signed anew', async () => {
    const archives = await Promise.all(
      (['warning', 'verdict'] as const).map(async (kind) => {
        const world = plainWorld(26, 250)
        const at = world.records.findLastIndex((r) => r.kind === kind)
        world.records[at] = { ...world.records[at]!, mts: world.records[at]!.mts + 1 }
        return keep(`changed-${kind}`, await world.proof())
      }),
    )
    const { exits, places } = await agree(archives)
    expect(exits).toEqual([1, 1])
    expect(Math.min(...places.map((place) => place ?? -1))).toBeGreaterThan(0)
  }, 60_000)
})

test('what it does not cover is exit 2 with its name, never 0', async () => {
  const answers = await Promise.all(
    [{ position_mode: 'hedging' as const }, { queue_model: true }, { latency_ms: 5 }].map(async (more, i) => {
      const { spec, events } = plainWorld(7, 60)
      const world = new ProofWorld({ ...spec, ...more })
      for (const { mseq: _, mts, ...tick } of events) world.tick(mts, tick as never)
      for (const op of ['create', 'start'] as const) world.command({ op })
      world.seal()
      const at = await keep(`not-covered-${i}`, await world.proof())
      const argv = [await python(), `${VERIFIER}/verify.py`, `${at}/a.proof`, '--keys', `${at}/keys.json`]
      const { exitCode, stdout } = Bun.spawnSync(argv)
      return [exitCode, stdout.toString().split('\n')[0]]
    }),
  )
  expect(answers).toEqual(
    ['position_mode "hedging"', 'queue_model true', 'latency_ms 5'].map((what) => [
      2,
      `can not tell: header: ${what} is not covered`,
    ]),
  )
}, 60_000)
