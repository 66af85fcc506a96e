/**
 * `fuzz`: requests over the whole OpenAPI document as every role (tests/fuzz), 100,000 unless told: how many of their
 * answers are 5xx or outside their schema, and how many requests were well-formed. The table of successes is printed.
 */

import { scratchHome, startProcess } from '../tests/e2e/platform.ts'
import { type FuzzOptions, fuzz, successTable } from '../tests/fuzz/fuzz.ts'
import { LIMITS_OFF } from '../tests/fuzz/platform.ts'
import { type Figure, figureOf } from './figure.ts'

export const summary = '100,000 requests over the whole document as every role'
/** Left out of `./assay bench` without a name: it takes some 25 minutes. */
export const byNameOnly = true

export async function run({
  requests = 100_000,
  seed = Date.now() % 1e9,
}: Partial<FuzzOptions> = {}): Promise<Figure[]> {
  const { home, remove } = scratchHome()
  const platform = await startProcess(home, { env: LIMITS_OFF })
  try {
    console.log(`seed ${seed}`)
    const fuzzed = await fuzz({ url: platform.url, requests, seed, home, log: console.log })
    console.log(successTable(fuzzed))
    for (const { role, detail, curl, times } of fuzzed.failures)
      console.log(`${times} times as ${role}: ${detail}\n  ${curl}`)
    const failed = fuzzed.failures.reduce((sum, { times }) => sum + times, 0)
    const figure = (name: string, unit: string, ours: number) =>
      figureOf({ figure: name, unit, better: 'lower', ours, samples: requests })
    return [
      figure('fuzz.failures', 'answers', failed),
      { ...figure('fuzz.passed_validation', '%', (100 * fuzzed.passedValidation) / fuzzed.requests) },
    ]
  } finally {
    await platform.stop('SIGTERM')
    remove()
  }
}
