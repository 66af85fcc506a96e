/**
 * The rule index beside a scan, at length: random worlds with every rule and order type, in calm and violent markets;
 * `equality.updates` counts pairs of account and event that both decided alike, `equality.differences` must be 0. Goes on
 * where it was stopped (out/equality.json, delete it to begin again); a world that differs is named by its seed.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Figure, figureOf } from './figure.ts'
import { compareWorlds } from './rules/compare-worlds.ts'

export const summary = 'rule index beside a scan over 10^9 updates (hours; Ctrl-C, and the next call goes on)'
/** Left out of `./assay bench` without a name. */
export const byNameOnly = true

export interface EqualityOptions {
  updates?: number
  file?: string
  say?: (line: string) => void
}
interface Progress {
  seed: number
  updates: number
  differences: { seed: number; said: string }[]
}
const EVENTS = 800
const SAVE_EVERY = 50
const STARTS = ['2024-03-29T08:00:00Z', '2024-10-25T08:00:00Z'].map(Date.parse)

/** The market of a seed: volatility, jumps of the rates, pace and the change of the clock all differ. */
function optionsOf(seed: number) {
  return {
    volatility: [0.0005, 0.004, 0.02][seed % 3]!,
    rateVolatility: [0.0005, 0.01, 0.08][Math.floor(seed / 3) % 3]!,
    pace: [2_000, 60_000, 600_000][Math.floor(seed / 9) % 3]!,
    start: STARTS[seed % 2]!,
  }
}
function load(file: string): Progress {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { seed: 1, updates: 0, differences: [] }
  }
}
function save(file: string, progress: Progress): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, JSON.stringify(progress))
  renameSync(`${file}.new`, file)
}

export async function run({
  updates = 1_000_000_000,
  file = join(import.meta.dir, '../out/equality.json'),
  say = (line) => console.error(line),
}: EqualityOptions = {}): Promise<Figure[]> {
  const progress = load(file)
  let stopped = false
  process.once('SIGINT', () => {
    stopped = true
  })
  for (; progress.updates < updates && !stopped; progress.seed++) {
    const { seed } = progress
    try {
      const { pairs } = compareWorlds(seed, EVENTS, optionsOf(seed), { checkBoxes: true, defer: seed % 4 === 0 })
      progress.updates += pairs
    } catch (error) {
      progress.differences.push({ seed, said: String(error).slice(0, 500) })
      say(`seed ${seed}: ${String(error).slice(0, 500)}`)
    }
    if (seed % SAVE_EVERY !== 0) continue
    save(file, { ...progress, seed: seed + 1 })
    say(`seed ${seed}: ${progress.updates.toExponential(2)} updates, ${progress.differences.length} differences`)
    await new Promise((resolve) => setTimeout(resolve, 0))
  }
  save(file, progress)
  const samples = progress.updates
  return [
    figureOf({ figure: 'equality.updates', unit: 'updates', better: 'higher', ours: progress.updates, samples }),
    figureOf({
      figure: 'equality.differences',
      unit: 'worlds',
      better: 'lower',
      ours: progress.differences.length,
      samples,
    }),
  ]
}
