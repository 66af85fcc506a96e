/**
 * `fuzz`: requests over the whole OpenAPI document as every role (tests/fuzz), 100,000 unless told: how many of their
 * answers are 5xx or outside their schema, and how many requests were well-formed. The table of successes is printed.
 */

import { type FuzzOptions, fuzz, successTable } from '../tests/fuzz/fuzz.ts'
import { type Figure, figureOf } from './figure.ts'

export const summary = '100,000 requests over the whole document as every role'
/** Left out of `./assay bench` without a name: it takes some 25 minutes. */
export const byNameOnly = true

/** Requests of one platform: its people get lost in the end. */
const EACH = 5_000

export async function run({
  requests = 100_000,
  seed = Date.now() % 1e9,
}: Partial<FuzzOptions> = {}): Promise<Figure[]> {
  let [failed, passed, done] = [0, 0, 0]
  for (let round = 0; done < requests; round++) {
    const options = { requests: Math.min(EACH, requests - done), seed: seed + round, log: console.log }
    const fuzzed = await fuzz(options)
    console.log(successTable(fuzzed))
    console.log(`seed ${options.seed}: ${fuzzed.requests} requests, ${fuzzed.failures.length} kinds of failures`)
    for (const pair of fuzzed.missing) console.log(`no success: ${pair}`)
    for (const { role, detail, curl, times } of fuzzed.failures)
      console.log(`${times} times as ${role}: ${detail}\n  ${curl}`)
    failed += fuzzed.failures.reduce((sum, { times }) => sum + times, 0)
    passed += fuzzed.passedValidation
    done += fuzzed.requests
  }
  return [
    figureOf({ figure: 'fuzz.failures', unit: 'answers', better: 'lower', ours: failed, samples: requests }),
    figureOf({
      figure: 'fuzz.passed_validation',
      unit: '%',
      better: 'higher',
      ours: (100 * passed) / done,
      samples: requests,
    }),
  ]
}
