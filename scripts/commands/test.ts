import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { runGates } from '../gates/all.ts'
import { parseOptions, UsageError } from '../options.ts'
import { ServerMissingError } from '../stack/server.ts'
import { measureCoverage } from '../tests/coverage.ts'
import { describeServer, startTestServers, type TestServers } from '../tests/servers.ts'
import { findSuites, runSuite, type Suite, type SuiteResult, type Work } from '../tests/suites.ts'

export const summary =
  '[PATTERN] [--fast | --embedded] [--db URL]: gates, then every suite on embedded adapters and on real servers; --fast: no slow suites; --embedded: no real servers; --db: on that database; with a PATTERN only the files whose path has it'

const MIN_COVERAGE_PERCENT = 80

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, {
    fast: { type: 'boolean', default: false },
    embedded: { type: 'boolean', default: false },
    db: { type: 'string' },
  })
  if (values.embedded && (values.fast || values.db)) throw new UsageError('--embedded goes with no other option')
  if (values.db !== undefined && !/^postgres(ql)?:\/\//.test(values.db))
    throw new UsageError('--db needs a postgres:// URL')
  const [pattern] = positionals
  const suites = choose(findSuites({ pattern, fast: values.fast }), values.embedded)
  const whole = pattern === undefined
  const gatesPassed = whole ? await runGates() : true

  const folder = mkdtempSync(join(tmpdir(), 'assay-test-'))
  // the user of PostgreSQL passes through it
  chmodSync(folder, 0o711)
  let servers: TestServers | undefined
  try {
    if (!values.embedded && suites.some(({ needs }) => needs.servers)) servers = await serversFor(folder, values.db)
    const env = { ...servers?.env, ASSAY_TEST_ADAPTERS: servers ? 'both' : 'embedded' }
    const results = await runAll(suites, { folder, coverage: whole, env })
    const covered = whole ? await reportCoverage(folder, values.embedded) : true
    return finish(results, gatesPassed && covered)
  } catch (error) {
    if (!(error instanceof ServerMissingError || error instanceof AggregateError)) throw error
    console.error(`${error.message}\n./assay test --embedded needs no real servers`)
    console.log('0 passed, 1 failed')
    return 1
  } finally {
    await servers?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Without real servers, suites that are about nothing else are left out, by name. */
function choose(suites: Suite[], embedded: boolean): Suite[] {
  if (!embedded) return suites
  for (const { path } of suites.filter(({ needs }) => needs.onlyReal))
    console.log(`needs real servers, left out: ${path}`)
  return suites.filter(({ needs }) => !needs.onlyReal)
}

async function serversFor(folder: string, databaseUrl: string | undefined): Promise<TestServers> {
  const started = await startTestServers({ folder: join(folder, 'servers'), databaseUrl, progress: console.log })
  if (databaseUrl) console.log(`server of --db  ${databaseUrl.replace(/:[^:/@]+@/, ':***@')}`)
  for (const server of started.servers) console.log(describeServer(server))
  return started
}

/** Fast suites side by side, slow ones alone: they load the machine and measure time. */
async function runAll(suites: Suite[], work: Work): Promise<SuiteResult[]> {
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

/** Without real servers their adapters do not run: then it is told, not judged. */
async function reportCoverage(folder: string, embedded: boolean): Promise<boolean> {
  const { percent, covered, lines, worst } = await measureCoverage(folder)
  const enough = embedded || percent >= MIN_COVERAGE_PERCENT
  console.log(
    `gate coverage         ${enough ? 'ok' : 'FAILED'}  ${percent.toFixed(1)} % of ${lines} lines (${covered}) by the fast suites, ${embedded ? 'without real servers: not judged' : `at least ${MIN_COVERAGE_PERCENT} %`}`,
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
