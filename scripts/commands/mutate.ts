import { rmSync } from 'node:fs'
import { mutateGuards } from '../access/mutate-guards.ts'
import { copyRepository } from '../mutate/copy.ts'
import { type Explanation, readExplained } from '../mutate/explained.ts'
import { findMutants, type Mutant } from '../mutate/sites.ts'
import { MUTATED, type Outcome, prepareSuites, tryMutants, UnmutatedError } from '../mutate/suites.ts'
import { parseOptions, UsageError } from '../options.ts'
import { ROOT } from '../root.ts'

export const summary =
  '[PATH] [--list] [--only N] [--json] [--scopes]: turns each comparison and sign of the trading core round and runs its tests; --scopes: takes each check of scope, user and tenant away and walks docs/access.csv'
const WORKERS = 2
const LEAST_PERCENT = 95
const SAY_EVERY = 25

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, {
    list: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    scopes: { type: 'boolean', default: false },
  })
  const [under, ...more] = positionals
  if (more.length > 0) throw new UsageError(`usage: assay mutate ${summary.split(':')[0]}`)
  if (values.scopes) return mutateGuards({ under, only: values.only, list: values.list, json: values.json })
  const explained = await readExplained()
  if (values.list) {
    for (const mutant of chosen(await findMutants(await readSources(ROOT, under)), values.only))
      console.log(values.json ? JSON.stringify(told(mutant)) : lineOf(mutant))
    return 0
  }
  const outcomes = await tryAll({ under, only: values.only, json: values.json })
  if (values.json) return reportJson(outcomes, explained)
  if (values.only !== undefined) console.log(failures(outcomes[0]!.output))
  report(outcomes, explained)
  if (!under && values.only === undefined) reportStale(outcomes, explained)
  return finish(outcomes, explained)
}

/** The sources that are changed: all of the three folders, or those under a path of them. */
async function readSources(root: string, under: string | undefined): Promise<Map<string, string>> {
  const prefix = under?.replace(/^\.?\//, '').replace(/\/$/, '')
  const sources = new Map<string, string>()
  for (const folder of MUTATED) {
    for (const path of [...new Bun.Glob(`${folder}/**/*.ts`).scanSync(root)].sort()) {
      if (path.endsWith('.test.ts')) continue
      if (prefix && path !== prefix && !path.startsWith(`${prefix}/`)) continue
      sources.set(path, await Bun.file(root + path).text())
    }
  }
  if (sources.size === 0) throw new UsageError(`${under}: no source of ${MUTATED.join(', ')}`)
  return sources
}

function chosen(mutants: Mutant[], only: string | undefined): Mutant[] {
  if (only === undefined) return mutants
  const mutant = mutants.find(({ n }) => String(n) === only)
  if (!mutant) throw new UsageError(`--only ${only}: the mutants are 1 to ${mutants.length}`)
  return [mutant]
}

interface Asked {
  under: string | undefined
  only: string | undefined
  json: boolean
}
async function tryAll({ under, only, json }: Asked): Promise<Outcome[]> {
  const copies = await copyRepository(only === undefined ? WORKERS : 1)
  const clean = () => {
    for (const copy of copies) rmSync(copy, { recursive: true, force: true })
  }
  process.once('exit', clean)
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
  try {
    // from the copy: the checkout may change while this runs
    const sources = await readSources(copies[0]!, under)
    const mutants = chosen(await findMutants(sources), only)
    const { suites, seconds } = await prepareSuites(copies[0]!)
    const names = suites.map(({ name }) => name).join(', ')
    console.error(
      `${mutants.length} mutants, ${copies.length} at a time; unchanged, ${names} take ${seconds.toFixed(1)} s`,
    )
    let done = 0
    let killed = 0
    const seen = (outcome: Outcome) => {
      done += 1
      if (outcome.verdict === 'killed') killed += 1
      if (json) console.log(JSON.stringify({ ...told(outcome.mutant), ...result(outcome) }))
      if (done % SAY_EVERY === 0 || done === mutants.length)
        console.error(`${done} of ${mutants.length} done, ${killed} killed`)
    }
    return await tryMutants(mutants, { sources, copies, suites, seen })
  } catch (error) {
    throw error instanceof UnmutatedError ? new UsageError(error.message) : error
  } finally {
    process.off('exit', clean)
    clean()
  }
}

/** Of a run of tests what did not pass. */
const failures = (output: string): string =>
  output
    .split('\n')
    .filter((line) => !line.startsWith('(pass)'))
    .join('\n')
    .trim()

const told = ({ n, id, file, line, label, was, becomes }: Mutant) => ({ n, id, file, line, label, was, becomes })
const result = ({ verdict, by, seconds }: Outcome) => ({ verdict, by, seconds: Number(seconds.toFixed(2)) })
const lineOf = ({ n, id, file, line, label }: Mutant): string =>
  `${String(n).padStart(4)}  ${id}  ${file}:${line}  ${label}`

type Explained = ReadonlyMap<string, Explanation>
/** A time-out is no kill by itself: somebody must have said why it can not end. */
const isKilled = ({ mutant, verdict }: Outcome, explained: Explained): boolean =>
  verdict === 'killed' || (verdict === 'timed out' && explained.get(mutant.id)?.kind === 'loops')

function report(outcomes: Outcome[], explained: Explained): void {
  const survived = outcomes.filter(({ verdict }) => verdict === 'survived')
  const late = outcomes.filter(({ verdict }) => verdict === 'timed out')
  list('survived:', survived, explained)
  list(
    'timed out, not counted as killed:',
    late.filter((outcome) => !isKilled(outcome, explained)),
    explained,
  )
  list(
    'timed out, killed because they can not end:',
    late.filter((outcome) => isKilled(outcome, explained)),
    explained,
  )
  const wrong = outcomes.filter(({ mutant, verdict }) => verdict === 'killed' && explained.has(mutant.id))
  list('explained, yet killed by a test:', wrong, explained)
}

function list(title: string, outcomes: Outcome[], explained: Explained): void {
  if (outcomes.length > 0) console.log(`\n${title}`)
  for (const { mutant, by } of outcomes) {
    const known = explained.get(mutant.id)
    console.log(lineOf(mutant) + (by ? `  (${by})` : ''))
    console.log(`        - ${mutant.was}\n        + ${mutant.becomes}`)
    console.log(`        ${known ? `${known.kind}: ${known.why}` : 'not explained'}`)
  }
}

function reportStale(outcomes: Outcome[], explained: Explained): void {
  const ids = new Set(outcomes.map(({ mutant }) => mutant.id))
  for (const { id, site } of explained.values())
    if (!ids.has(id)) console.log(`explains nothing any more: ${id}  ${site}`)
}

const percentOf = (killed: number, outcomes: Outcome[]): number => (100 * killed) / outcomes.length

function finish(outcomes: Outcome[], explained: Explained): number {
  const killed = outcomes.filter((outcome) => isKilled(outcome, explained)).length
  const percent = percentOf(killed, outcomes)
  const each = outcomes.map(({ seconds }) => seconds).sort((a, b) => a - b)
  const [median, longest] = [each[each.length >> 1]!, each[each.length - 1]!]
  console.log(`\na mutant takes ${median.toFixed(1)} s (median), ${longest.toFixed(1)} s at most`)
  if (percent < LEAST_PERCENT) console.log(`${percent.toFixed(1)} % are killed, at least ${LEAST_PERCENT} % must be`)
  console.log(`${killed} of ${outcomes.length} mutants killed`)
  return percent < LEAST_PERCENT ? 1 : 0
}

function reportJson(outcomes: Outcome[], explained: Explained): number {
  const killed = outcomes.filter((outcome) => isKilled(outcome, explained)).length
  const percent = percentOf(killed, outcomes)
  console.log(JSON.stringify({ killed, mutants: outcomes.length, percent: Number(percent.toFixed(1)) }))
  return percent < LEAST_PERCENT ? 1 : 0
}
