import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { textLine } from '@assay/core/kernel/log-text'
import { homeOfConfig } from '../instance.ts'
import { parseOptions } from '../options.ts'

export const summary = '[--errors] [--lines=N]: the last lines of the log'

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, {
    errors: { type: 'boolean', default: false },
    lines: { type: 'string', default: '100' },
  })
  const file = join(homeOfConfig(), 'logs', values.errors ? 'error.log' : 'assay.log')
  if (!existsSync(file)) {
    console.error(`no log yet: ${file}`)
    return 1
  }
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean).slice(-Number(values.lines))
  for (const line of lines) process.stdout.write(textLine(line))
  return 0
}
