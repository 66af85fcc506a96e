/**
 * `fuzz`: requests over the whole OpenAPI document as every role (tests/fuzz), 100,000 unless told: how many of their
 * answers are 5xx or outside their schema, and how many requests were well-formed. The table of successes is printed.
 */

import { type FuzzOptions, fuzz, successTable } from '../tests/fuzz/fuzz.ts'
import { type Figure, figureOf } from './figure.ts'

export const summary = '100,000 requests over the whole document as every role'
/** Left out of `./assay bench` without a name: it takes some 25 minutes. */
export const byNameOnly = true

export async function run({
  requests = 100_000,
  seed = Date.now() % 1e9,
}: Partial<FuzzOptions> = {}): Promise<Figure[]> {
  console.log(`seed ${seed}`)
  const fuzzed = await fuzz({ requests, seed, log: console.log })
  console.log(successTable(fuzzed))
  for (const pair of fuzzed.missing) console.log(`no success: ${pair}`)
  for (const { role, detail, curl, times } of fuzzed.failures)
    console.log(`${times} times as ${role}: ${detail}\n  ${curl}`)
  const failed = fuzzed.failures.reduce((sum, { times }) => sum + times, 0)
  const passed = (100 * fuzzed.passedValidation) / fuzzed.requests
  return [
    figureOf({ figure: 'fuzz.failures', unit: 'answers', better: 'lower', ours: failed, samples: requests }),
    figureOf({ figure: 'fuzz.passed_validation', unit: '%', better: 'higher', ours: passed, samples: requests }),
  ]
}
