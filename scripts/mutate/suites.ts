import { basename } from 'node:path'
import { capture } from '../capture.ts'
import type { Mutant } from './sites.ts'

/** What a mutant is run against, in order, until something fails. */
export interface Suite {
  name: string
  /** null: it has nothing to say about this file */
  command: (file: string) => string[] | null
  limitMs: number
}
export interface Outcome {
  mutant: Mutant
  verdict: 'killed' | 'survived' | 'timed out'
  /** the suite that failed or did not end */
  by?: string
  output: string
  seconds: number
}

export const MUTATED = ['rules', 'matching', 'ledger'].map((name) => `packages/core/domain/${name}`)
const ENGINE = 'packages/core/domain/engine'
/** Long ones that hold the engine against itself: a rule that is wrong is wrong on both sides. */
const TWINS = ['triggers', 'repeats', 'highs'].map((name) => `${ENGINE}/${name}.test.ts`)
const SEED = './scripts/mutate/fixed-seed.ts'
/** A loaded machine is slow; a loop does not end at all. */
const LEAST_LIMIT_MS = 5000
const PATIENCE = 6
const TIMED_OUT = 124

export class UnmutatedError extends Error {}

const runTests = (tests: readonly string[]): string[] => [
  process.execPath,
  'test',
  '--bail',
  '--preload',
  SEED,
  ...tests.map((path) => `./${path}`),
]
function testsIn(copy: string, folders: readonly string[]): string[] {
  return folders
    .flatMap((folder) => [...new Bun.Glob(`${folder}/**/*.test.ts`).scanSync(copy)])
    .filter((path) => !path.endsWith('.slow.test.ts') && !TWINS.includes(path))
    .sort()
}
/** Of the tests those that import the file by its name: they kill most of its mutants, and at once. */
async function importersOf(copy: string, tests: readonly string[]): Promise<(file: string) => string[]> {
  const texts = new Map<string, string>()
  for (const path of tests) texts.set(path, await Bun.file(copy + path).text())
  return (file) => tests.filter((path) => texts.get(path)!.includes(`/${basename(file)}'`))
}

/** The suites of a copy as it is, each run once: all must pass, and the time they take is what a mutant is given. */
export async function prepareSuites(copy: string): Promise<{ suites: Suite[]; seconds: number }> {
  const direct = testsIn(copy, MUTATED)
  const own = await importersOf(copy, direct)
  const whole = {
    direct: direct.length > 0 ? runTests(direct) : null,
    engine: runTests(testsIn(copy, [ENGINE])),
    oracle: [process.execPath, 'scripts/mutate/oracle.ts'],
  }
  const suites: Suite[] = []
  let seconds = 0
  for (const [name, command] of Object.entries(whole)) {
    if (!command) continue
    const start = performance.now()
    const { code, output } = await capture(command, { cwd: copy })
    const took = performance.now() - start
    if (code !== 0) throw new UnmutatedError(`the ${name} suite fails without a change:\n${output.trim()}`)
    suites.push({ name, command: () => command, limitMs: Math.max(LEAST_LIMIT_MS, PATIENCE * took) })
    seconds += took / 1000
  }
  const ownCommand = (file: string) => {
    const tests = own(file)
    return tests.length > 0 ? runTests(tests) : null
  }
  return { suites: [{ name: 'own', command: ownCommand, limitMs: suites[0]!.limitMs }, ...suites], seconds }
}

/** Writes the mutant into the copy, runs the suites, puts the file back. */
export async function tryMutant(mutant: Mutant, copy: string, original: string, suites: Suite[]): Promise<Outcome> {
  const start = performance.now()
  const end = (verdict: Outcome['verdict'], output: string, by?: string): Outcome => ({
    mutant,
    verdict,
    by,
    output,
    seconds: (performance.now() - start) / 1000,
  })
  await Bun.write(copy + mutant.file, mutant.text)
  try {
    for (const { name, command, limitMs } of suites) {
      const words = command(mutant.file)
      if (!words) continue
      const { code, output } = await capture(words, { cwd: copy, timeoutMs: limitMs })
      if (code === TIMED_OUT) return end('timed out', output, name)
      if (code !== 0) return end('killed', output, name)
    }
    return end('survived', '')
  } finally {
    await Bun.write(copy + mutant.file, original)
  }
}

/** All mutants, each alone, by as many workers as there are copies. */
export async function tryMutants(
  mutants: Mutant[],
  work: { sources: ReadonlyMap<string, string>; copies: string[]; suites: Suite[]; seen: (outcome: Outcome) => void },
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const waiting = mutants.slice()
  const worker = async (copy: string) => {
    for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
      const outcome = await tryMutant(mutant, copy, work.sources.get(mutant.file)!, work.suites)
      outcomes.push(outcome)
      work.seen(outcome)
    }
  }
  await Promise.all(work.copies.map(worker))
  return outcomes.sort((a, b) => a.mutant.n - b.mutant.n)
}
