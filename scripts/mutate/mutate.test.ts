import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as decimals from '@assay/core/domain/money/dec'
import { DECIMALS } from './changes.ts'
import { readExplained } from './explained.ts'
import { findMutants, type Mutant } from './sites.ts'
import { type Outcome, tryMutant } from './suites.ts'

const SAMPLE = `import { type Dec, floorTo, gt, isZero, max as larger, neg, sub } from '../money/dec.ts'

type Side = 'buy' | 'sell'
interface Level { bid: Dec; side: 'ask' | 'bid' }
const sides: Record<Side, Side> = { buy: 'sell', sell: 'buy' }
export function open(side: Side, a: Dec, b: Dec, level: Level, n: number): Dec {
  if (side === 'buy' && n < 1) return sub(a, b)
  const worse = n >= 0 ? gt : larger
  let found = !isZero(a)
  for (let i = 0; i < n; i++) found = -i > (Math.min(i, 2) as number)
  if (found) return neg(level.bid)
  return floorTo(larger(a, worse as never), b) ?? { sub, max: true }
}
`
const mutantsOf = (text: string): Promise<Mutant[]> => findMutants(new Map([['domain/sample.ts', text]]))
const sample = await mutantsOf(SAMPLE)
const compiled = (text: string) => new Bun.Transpiler({ loader: 'ts' }).transformSync(text)

describe('sites', () => {
  test('comparisons, signs, sides, logic and conditions are found in code, not in types, names or imports', () => {
    expect(sample.map(({ line, label }) => `${line} ${label}`)).toEqual([
      "5 'sell' -> 'buy'",
      "5 'buy' -> 'sell'",
      '7 && -> ||',
      '7 === -> !==',
      '7 < -> <=',
      '7 < -> >',
      '7 < -> >=',
      '7 sub -> add',
      '8 >= -> >',
      '8 >= -> <',
      '8 >= -> <=',
      '8 gt -> gte',
      '8 gt -> lt',
      '8 gt -> lte',
      '8 max -> min',
      '9 isZero negated',
      '10 < -> <=',
      '10 < -> >',
      '10 < -> >=',
      '10 ++ -> --',
      '10 > -> >=',
      '10 > -> <',
      '10 > -> <=',
      '10 - removed',
      '10 .min -> .max',
      '11 condition negated',
      '11 neg removed',
      '11 .bid -> .ask',
      '12 floorTo -> ceilTo',
      '12 max -> min',
      '12 true -> false',
    ])
  })

  test('each mutant compiles, to code that differs from the original and from every other mutant', () => {
    const codes = sample.map(({ text }) => compiled(text))
    expect(new Set([compiled(SAMPLE), ...codes]).size).toBe(sample.length + 1)
  })

  test('a mutant changes its own line, and none moves', () => {
    const lines = SAMPLE.split('\n')
    for (const { text, line, was, becomes } of sample) {
      const changed = lines.flatMap((before, i) => (text.split('\n')[i] === before ? [] : [i + 1]))
      expect(changed).toEqual([line])
      expect(was).toBe(lines[line - 1]!.trim())
      expect(becomes).not.toBe(was)
    }
  })

  test('a logical operator is turned round as a whole, whatever binds tighter around it', async () => {
    const [first, second] = await mutantsOf('export const f = (a: boolean, b: boolean, c: boolean) => a && b && c\n')
    expect(first!.becomes).toEndWith('=> (a && b || c)')
    expect(second!.becomes).toEndWith('=> (a || b) && c')
  })

  test('what a decimal function becomes is one of the same file', () => {
    const become = Object.values(DECIMALS).flat()
    expect(become.filter((name) => !(name in decimals))).toEqual([])
    expect(sample.find(({ label }) => label === 'sub -> add')!.text).toEndWith(
      "import { add as mutated_add } from '../money/dec.ts'\n",
    )
  })

  test('an id outlives what is written around its statement, and not a change of the statement', async () => {
    const ids = async (text: string) => (await mutantsOf(text)).map(({ id }) => id)
    const before = await ids('export const one = (n: number) => n < 1\n')
    expect(await ids('// a comment\n\nconst zero = 0\nexport const one = (n: number) => n < 1\n')).toEqual(before)
    expect((await ids('export const one = (n: number) => n < 2\n')).filter((id) => before.includes(id))).toEqual([])
    expect(new Set(sample.map(({ id }) => id)).size).toBe(sample.length)
  })

  test('a source that is no TypeScript is named', async () => {
    const said = await mutantsOf('const = 1').catch((error) => error.message)
    expect(said).toStartWith('domain/sample.ts: ')
  })
})

describe('a mutant', () => {
  const copy = `${mkdtempSync(join(tmpdir(), 'assay-mutant-'))}/`
  afterAll(() => rmSync(copy, { recursive: true, force: true }))
  const SOURCE = 'export function last(n: number): number {\n  let i = 0\n  while (i < n) i += 1\n  return i\n}\n'
  const CHECK = "import { last } from './last.ts'\nif (last(3) !== 3 || last(0) !== 0) process.exit(1)\n"

  test('is killed, survives or is timed out by what the suites say, and the file is put back', async () => {
    await Bun.write(`${copy}last.ts`, SOURCE)
    await Bun.write(`${copy}check.ts`, CHECK)
    const mutants = await findMutants(new Map([['last.ts', SOURCE]]))
    const suites = [
      { name: 'idle', command: () => [process.execPath, '-e', '0'], limitMs: 20_000 },
      { name: 'check', command: () => [process.execPath, 'check.ts'], limitMs: 3000 },
    ]
    const verdicts = new Map<string, Outcome['verdict']>()
    for (const label of ['< -> <=', '+= -> -=']) {
      const outcome = await tryMutant(mutants.find((m) => m.label === label)!, copy, SOURCE, suites)
      verdicts.set(label, outcome.verdict)
      expect(outcome.by).toBe('check')
    }
    const idle = await tryMutant(mutants[0]!, copy, SOURCE, suites.slice(0, 1))
    verdicts.set('idle', idle.verdict)
    expect([...verdicts]).toEqual([
      ['< -> <=', 'killed'],
      ['+= -> -=', 'timed out'],
      ['idle', 'survived'],
    ])
    expect(await Bun.file(`${copy}last.ts`).text()).toBe(SOURCE)
  }, 60_000)
})

test('every explanation is of a known kind and says why', async () => {
  for (const { why } of (await readExplained()).values()) expect(why.length).toBeGreaterThan(20)
})
