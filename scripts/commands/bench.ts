import { readdirSync } from 'node:fs'
import type { Figure } from '../../bench/figure.ts'
import { nearest } from '../nearest.ts'
import { parseOptions, UsageError } from '../options.ts'
import { ROOT } from '../root.ts'

export const summary = '[NAME...] [--json]: measures; --json prints one line per figure'

interface Bench {
  summary?: string
  /** too long to be among all of them */
  byNameOnly?: boolean
  run(options: object): Promise<Figure[]>
}
const FOLDER = `${ROOT}bench`

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, { json: { type: 'boolean', default: false } })
  const benches = await loadBenches()
  for (const name of positionals) {
    if (benches.has(name)) continue
    const meant = nearest(name, [...benches.keys()])
    throw new UsageError(
      `no bench ${name}${meant ? `; did you mean ${meant}?` : ''} (${[...benches.keys()].join(', ')})`,
    )
  }
  for (const [name, bench] of benches) {
    if (positionals.length > 0 ? !positionals.includes(name) : bench.byNameOnly) continue
    if (!values.json) console.log(`${name}: ${bench.summary ?? ''}`)
    const figures = await bench.run({})
    for (const figure of figures) console.log(values.json ? JSON.stringify(figure) : row(figure))
  }
  return 0
}

/** A file of bench/ that exports `run` is a bench; the others are what they are made of. */
async function loadBenches(): Promise<Map<string, Bench>> {
  const benches = new Map<string, Bench>()
  for (const file of readdirSync(FOLDER).sort()) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue
    const loaded = (await import(`${FOLDER}/${file}`)) as Partial<Bench>
    if (loaded.run) benches.set(file.slice(0, -3), loaded as Bench)
  }
  return benches
}

function row({ figure, unit, ours, peer, peer_name, ratio, samples }: Figure): string {
  const against = peer === null ? '' : `  ${peer} ${peer_name}  x${ratio}`
  return `  ${figure.padEnd(28)} ${String(ours).padStart(10)} ${unit.padEnd(12)}${against}  (${samples} samples)`
}
