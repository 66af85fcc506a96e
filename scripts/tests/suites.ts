import { environment } from '@assay/core/kernel/config'
import { capture } from '../capture.ts'
import { ROOT } from '../root.ts'
import { isTest, sourceFiles } from '../sources.ts'
import { type Needs, needsOf } from './needs.ts'

export interface Suite {
  path: string
  slow: boolean
  needs: Needs
}
export interface SuiteResult {
  path: string
  passed: number
  failed: number
  skipped: number
  seconds: number
  output: string
  /** why it counts as failed although no test says so */
  broken?: string
}

const isSlow = (path: string): boolean => path.endsWith('.slow.test.ts')
/** Of a test or hook that names none: a database starts in 1 s, on a loaded machine in 6. */
const TEST_TIMEOUT_MS = 30_000
const TIMEOUT_MS = { fast: 5 * 60_000, slow: 30 * 60_000 }

/** Test files whose path has the pattern in it; slow ones last. */
export function findSuites({ pattern, fast }: { pattern?: string; fast: boolean }): Suite[] {
  return sourceFiles()
    .filter(isTest)
    .filter((path) => (!pattern || path.includes(pattern)) && !(fast && isSlow(path)))
    .map((path) => ({ path, slow: isSlow(path), needs: needsOf(path) }))
    .sort((a, b) => Number(a.slow) - Number(b.slow))
}

export interface Work {
  folder: string
  coverage: boolean
  /** ASSAY_TEST_*: which adapters, and where the servers are */
  env: Readonly<Record<string, string>>
}

/** A process of its own for each file: what one leaves behind, or a crash, is its own. */
export async function runSuite(suite: Suite, work: Work): Promise<SuiteResult> {
  const name = suite.path.replaceAll('/', '_')
  const report = `${work.folder}/${name}.xml`
  const covering =
    work.coverage && !suite.slow
      ? ['--coverage', '--coverage-reporter=lcov', `--coverage-dir=${work.folder}/${name}.cov`]
      : []
  const command = [
    process.execPath,
    'test',
    `./${suite.path}`,
    '--reporter=junit',
    `--reporter-outfile=${report}`,
    `--timeout=${TEST_TIMEOUT_MS}`,
    ...covering,
  ]
  const start = performance.now()
  const { code, output } = await capture(command, {
    env: { ...testEnvironment(), ...work.env },
    timeoutMs: TIMEOUT_MS[suite.slow ? 'slow' : 'fast'],
  })
  const seconds = (performance.now() - start) / 1000
  const file = Bun.file(report)
  // without real servers, a suite about them has nothing to run
  const mayBeEmpty = suite.needs.servers && work.env.ASSAY_TEST_ADAPTERS === 'embedded'
  const counts = (await file.exists()) ? readReport(await file.text()) : undefined
  return { path: suite.path, seconds, output, ...judge(counts, code, mayBeEmpty) }
}

/** A developer's own settings must not decide a test. */
function testEnvironment(): Record<string, string | undefined> {
  const cleared = Object.keys(environment()).filter((name) => name.startsWith('ASSAY_') && name !== 'ASSAY_SHARED')
  return {
    ...Object.fromEntries(cleared.map((name) => [name, undefined])),
    NODE_ENV: 'test',
    PORT: undefined,
    ASSAY_ROOT: ROOT,
  }
}

interface Counts {
  tests: number
  failed: number
  skipped: number
}
export function readReport(xml: string): Counts | undefined {
  const root = /<testsuites[^>]*>/.exec(xml)?.[0]
  if (!root) return undefined
  const read = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(root)?.[1] ?? 0)
  return { tests: read('tests'), failed: read('failures') + read('errors'), skipped: read('skipped') }
}

/** The runner's own end decides with the report: a crash after green tests is a failure. */
export function judge(
  counts: Counts | undefined,
  code: number,
  mayBeEmpty = false,
): Pick<SuiteResult, 'passed' | 'failed' | 'skipped' | 'broken'> {
  if (!counts) return { passed: 0, failed: 1, skipped: 0, broken: `the runner ended with ${code} and no report` }
  const { tests, failed, skipped } = counts
  const passed = tests - failed - skipped
  if (code !== 0 && failed === 0) return { passed, failed: 1, skipped, broken: `the runner ended with ${code}` }
  if (tests === 0 && !mayBeEmpty) return { passed: 0, failed: 1, skipped: 0, broken: 'it has no test' }
  return { passed, failed, skipped }
}
