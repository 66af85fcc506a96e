import { ROOT } from '../root.ts'
import { isTest, sourceFiles } from '../sources.ts'

export interface Coverage {
  lines: number
  covered: number
  percent: number
  /** least covered first */
  worst: { path: string; lines: number; covered: number }[]
}
/** line -> hits */
type Hits = Map<number, number>

/** What counts: the code of the platform. Entries, benches, scripts and the tests' own helpers are run, not measured. */
const isMeasured = (path: string): boolean =>
  /^(packages|services)\//.test(path) &&
  !isTest(path) &&
  !/\/(testing|main\.ts)/.test(path) &&
  !path.endsWith('/contract.ts')

/** Line coverage over the reports of all suites; a file that no test loads counts with all its lines. */
export async function measureCoverage(folder: string): Promise<Coverage> {
  const files = new Map<string, Hits>()
  for (const report of new Bun.Glob('*.cov/lcov.info').scanSync(folder))
    mergeLcov(await Bun.file(`${folder}/${report}`).text(), files)
  const rows: Coverage['worst'] = []
  for (const path of sourceFiles().filter(isMeasured)) {
    const hits = files.get(path)
    const lines = hits ? hits.size : await codeLines(path)
    const covered = hits ? [...hits.values()].filter((count) => count > 0).length : 0
    if (lines > 0) rows.push({ path, lines, covered })
  }
  const lines = rows.reduce((sum, row) => sum + row.lines, 0)
  const covered = rows.reduce((sum, row) => sum + row.covered, 0)
  const missed = (row: Coverage['worst'][number]) => row.lines - row.covered
  return {
    lines,
    covered,
    percent: lines === 0 ? 0 : (100 * covered) / lines,
    worst: rows.toSorted((a, b) => missed(b) - missed(a)).slice(0, 10),
  }
}

export function mergeLcov(text: string, files: Map<string, Hits>): void {
  let hits: Hits | undefined
  for (const line of text.split('\n')) {
    if (line.startsWith('SF:')) {
      const path = line.slice(3).replace(ROOT, '')
      hits = files.get(path) ?? new Map()
      files.set(path, hits)
    } else if (line.startsWith('DA:') && hits) {
      const [number = 0, count = 0] = line.slice(3).split(',').map(Number)
      hits.set(number, (hits.get(number) ?? 0) + count)
    }
  }
}

/** Lines that are left once types are gone. */
async function codeLines(path: string): Promise<number> {
  const code = new Bun.Transpiler({ loader: 'ts' }).transformSync(await Bun.file(ROOT + path).text())
  return code.split('\n').filter((line) => line.trim() && !/^\s*(import|export \{|[})\]];?$)/.test(line)).length
}
