import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { nearest } from './nearest.ts'

/** A wrong call: printed as it is, exit 2. */
export class UsageError extends Error {}

/** Options and positionals; an unknown option names the nearest one. */
export function parseOptions<T extends ParseArgsOptionsConfig>(argv: string[], options: T) {
  try {
    return parseArgs({ args: argv, options, allowPositionals: true, strict: true })
  } catch (error) {
    const unknown = /Unknown option '(--?[^']+)'/.exec(error instanceof Error ? error.message : '')?.[1]
    if (!unknown) throw new UsageError(error instanceof Error ? error.message : String(error))
    const meant = nearest(unknown.replace(/^-+/, ''), Object.keys(options))
    throw new UsageError(`no option ${unknown}${meant ? `; did you mean --${meant}?` : ''}`)
  }
}
