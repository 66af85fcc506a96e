/**
 * The engine against the oracle, for as long as it is let: random worlds with every order type, rule and currency,
 * compared after every input. Each run adds two million pairs of event and account to where the last one stopped, up to 10^8; a world
 * that differs is shrunk, kept in packages/core/testing/oracle/kept and ends the run.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { compare } from '@assay/core/testing/oracle/compare'
import { keep } from '@assay/core/testing/oracle/kept'
import { shrink } from '@assay/core/testing/oracle/shrink'
import { worldOf } from '@assay/core/testing/oracle/worlds'
import { type Figure, figureOf } from './figure.ts'

export const summary = 'engine against the oracle: pairs of event and account without a difference, resumable'
/** hours for all of it */
export const byNameOnly = true
const ALL = 100_000_000
const A_RUN = 2_000_000
const SIZE = { accounts: 20, events: 500 }

export interface OracleOptions {
  /** pairs that this run adds at most */
  pairs?: number
  state?: string
}
interface Place {
  seed: number
  pairs: number
}

export async function run(options: OracleOptions = {}): Promise<Figure[]> {
  const { pairs = A_RUN, state = stateFile() } = options
  const place = placeIn(state)
  const goal = Math.min(ALL, place.pairs + pairs)
  const began = performance.now()
  const before = place.pairs
  console.log(`  from seed ${place.seed}, ${place.pairs} pairs done, place kept in ${state}`)
  while (place.pairs < goal) {
    const world = worldOf(place.seed, SIZE)
    const { pairs: done, difference } = compare(world)
    if (difference) {
      const file = keep(shrink(world, difference))
      throw new Error(`seed ${place.seed}: ${difference.what} differs; the shortest case is kept in ${file}`)
    }
    place.seed += 1
    place.pairs += done
    writeFileSync(state, JSON.stringify(place))
  }
  const seconds = (performance.now() - began) / 1000
  const added = place.pairs - before
  console.log(`  to seed ${place.seed - 1}`)
  const figure = (name: string, unit: string, ours: number) =>
    figureOf({ figure: name, unit, better: 'higher', ours, samples: added })
  return [
    figure('oracle.pairs', 'pairs, 0 differ', place.pairs),
    figure('oracle.rate', 'pairs/s', seconds > 0 ? added / seconds : 0),
  ]
}
function stateFile(): string {
  const folder = `${tmpdir()}/assay-bench`
  mkdirSync(folder, { recursive: true })
  return `${folder}/oracle.json`
}
function placeIn(state: string): Place {
  if (!existsSync(state)) return { seed: 1_000_000, pairs: 0 }
  return JSON.parse(readFileSync(state, 'utf8')) as Place
}
