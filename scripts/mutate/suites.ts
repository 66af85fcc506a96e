import { capture } from '../capture.ts'
import type { Mutant } from './sites.ts'

/** What a mutant is run against, in order, until something fails. */
export interface Suite {
  name: string
  command: string[]
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
const SEED = './scripts/mutate/fixed-seed.ts'
const FOLDERS: Record<string, string[]> = { direct: MUTATED, engine: ['packages/core/domain/engine'] }
/** A loaded machine is slow; a loop does not end at all. */
const LEAST_LIMIT_MS = 5000
const PATIENCE = 6

function testsIn(copy: string, folders: string[]): string[] {
  return folders
    .flatMap((folder) => [...new Bun.Glob(`${folder}/**/*.test.ts`).scanSync(copy)])
    .filter((path) => !path.endsWith('.slow.test.ts'))
    .sort()
    .map((path) => `./${path}`)
}

/** The suites of a copy as it is, each run once: all must pass, and the time they take is what a mutant is given. */
export async function prepareSuites(copy: string): Promise<{ suites: Suite[]; seconds: number }> {
  const commands = Object.entries(FOLDERS).map(([name, folders]) => ({
    name,
    tests: testsIn(copy, folders),
  }))
  const planned = [
    ...commands
      .filter(({ tests }) => tests.length > 0)
      .map(({ name, tests }) => ({ name, command: [process.execPath, 'test', '--bail', '--preload', SEED, ...tests] })),
    { name: 'oracle', command: [process.execPath, 'scripts/mutate/oracle.ts'] },
  ]
  const suites: Suite[] = []
  let seconds = 0
  for (const { name, command } of planned) {
    const start = performance.now()
    const { code, output } = await capture(command, { cwd: copy })
    const took = performance.now() - start
    if (code !== 0) throw new UnmutatedError(`the ${name} suite fails without a change:\n${output.trim()}`)
    suites.push({ name, command, limitMs: Math.max(LEAST_LIMIT_MS, PATIENCE * took) })
    seconds += took / 1000
  }
  return { suites, seconds }
}
export class UnmutatedError extends Error {}

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
      const { code, output } = await capture(command, { cwd: copy, timeoutMs: limitMs })
      if (code === TIMED_OUT) return end('timed out', output, name)
      if (code !== 0) return end('killed', output, name)
    }
    return end('survived', '')
  } finally {
    await Bun.write(copy + mutant.file, original)
  }
}
const TIMED_OUT = 124

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
