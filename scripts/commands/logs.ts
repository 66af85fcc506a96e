import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { textLine } from '@assay/core/kernel/log/text'
import { homeOfConfig } from '../instance.ts'
import { parseOptions } from '../options.ts'

export const summary = '[NAME] [--errors] [--lines=N]: the last lines of the log; of one process: trading-1, trading'

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, {
    errors: { type: 'boolean', default: false },
    lines: { type: 'string', default: '100' },
  })
  const folder = join(homeOfConfig(), 'logs')
  const files = logFiles(folder, { name: positionals[0], errors: values.errors })
  if (files.length === 0) {
    console.error(`no log yet${positionals[0] ? ` of ${positionals[0]}` : ''}: ${folder}`)
    return 1
  }
  const lines = files.flatMap(({ name, path }) => tail(path, Number(values.lines)).map((line) => ({ name, line })))
  lines.sort((a, b) => (timeOf(a.line) < timeOf(b.line) ? -1 : 1))
  for (const { name, line } of lines.slice(-Number(values.lines))) {
    process.stdout.write((files.length > 1 ? `${name.padEnd(14)} ` : '') + textLine(line))
  }
  return 0
}

/** One file per process: `assay.log`, or `trading-1.log` and the others of a distributed platform. */
function logFiles(folder: string, { name, errors }: { name: string | undefined; errors: boolean }) {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .map((file) => ({ path: join(folder, file), ...partsOf(file) }))
    .filter((log): log is { path: string; name: string; errors: boolean } => log.name !== undefined)
    .filter((log) => log.errors === errors && (!name || log.name === name || log.name.startsWith(`${name}-`)))
}
function partsOf(file: string): { name?: string; errors: boolean } {
  if (file === 'assay.log' || file === 'error.log') return { name: 'assay', errors: file === 'error.log' }
  const match = /^([a-z-]+-\d+)(\.error)?\.log$/.exec(file)
  return { ...(match?.[1] && { name: match[1] }), errors: match?.[2] !== undefined }
}

const tail = (path: string, count: number): string[] =>
  readFileSync(path, 'utf8').split('\n').filter(Boolean).slice(-count)
const timeOf = (line: string): string => /"time":"([^"]+)"/.exec(line)?.[1] ?? ''
