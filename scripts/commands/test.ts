import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { runGates } from '../gates/all.ts'
import { parseOptions, UsageError } from '../options.ts'
import { measureCoverage } from '../tests/coverage.ts'
import { findSuites, runSuite, type Suite, type SuiteResult } from '../tests/suites.ts'

export const summary =
  '[PATTERN] [--fast | --embedded]: gates, then every suite; with a PATTERN only the files whose path has it'

const MIN_COVERAGE_PERCENT = 80

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, {
    fast: { type: 'boolean', default: false },
    embedded: { type: 'boolean', default: false },
  })
  if (values.fast && values.embedded) throw new UsageError('--fast or --embedded, not both')
  const [pattern] = positionals
  const suites = findSuites({ pattern, fast: values.fast })
  const whole = pattern === undefined
  const gatesPassed = whole ? await runGates() : true

  const folder = mkdtempSync(join(tmpdir(), 'assay-test-'))
  try {
    const results = await runAll(suites, { folder, coverage: whole })
    const covered = whole ? await reportCoverage(folder) : true
    return finish(results, gatesPassed && covered)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Fast suites side by side, slow ones alone: they load the machine and measure time. */
async function runAll(suites: Suite[], work: { folder: string; coverage: boolean }): Promise<SuiteResult[]> {
  const results: SuiteResult[] = []
  const waiting = suites.filter(({ slow }) => !slow)
  const worker = async () => {
    for (let suite = waiting.shift(); suite; suite = waiting.shift()) results.push(report(await runSuite(suite, work)))
  }
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker))
  for (const suite of suites.filter(({ slow }) => slow)) results.push(report(await runSuite(suite, work)))
  return results
}

function report(result: SuiteResult): SuiteResult {
  const { path, passed, failed, skipped, seconds, output, broken } = result
  const counts = [`${passed} passed`, failed > 0 && `${failed} FAILED`, skipped > 0 && `${skipped} skipped`]
    .filter(Boolean)
    .join(', ')
  console.log(`${seconds.toFixed(1).padStart(6)} s  ${path}  ${counts}${broken ? `  (${broken})` : ''}`)
  if (failed > 0) console.log(output.trim().replace(/^/gm, '    '))
  else
    for (const reason of output.match(/^.*\b[Ss]kipp(?:ed|ing):.*$/gm) ?? []) console.log(`          ${reason.trim()}`)
  return result
}

async function reportCoverage(folder: string): Promise<boolean> {
  const { percent, covered, lines, worst } = await measureCoverage(folder)
  const enough = percent >= MIN_COVERAGE_PERCENT
  console.log(
    `gate coverage         ${enough ? 'ok' : 'FAILED'}  ${percent.toFixed(1)} % of ${lines} lines (${covered}) by the fast suites, at least ${MIN_COVERAGE_PERCENT} %`,
  )
  if (!enough)
    for (const { path, lines: all, covered: hit } of worst)
      console.log(`  ${path}: ${all - hit} of ${all} lines never run`)
  return enough
}

/** The last line is read by machines: `N passed, N failed`. A gate that fails is a failure of its own. */
function finish(results: SuiteResult[], gatesPassed: boolean): number {
  const sum = (pick: (result: SuiteResult) => number) => results.reduce((total, result) => total + pick(result), 0)
  const passed = sum((result) => result.passed)
  const failed = sum((result) => result.failed) + (gatesPassed ? 0 : 1)
  const skipped = sum((result) => result.skipped)
  if (results.length === 0) console.log('no test file has this pattern in its path')
  for (const { path, failed: some } of results) if (some > 0) console.log(`failed: ${path}`)
  if (!gatesPassed) console.log('failed: a gate (above)')
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  return failed === 0 && passed > 0 ? 0 : 1
}
