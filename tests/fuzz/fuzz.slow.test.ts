import { expect, test } from 'bun:test'
import { fuzz, successTable } from './fuzz.ts'

const REQUESTS = 5_000
const SEED = 20_261_121

test(`${REQUESTS} requests over the whole document, as every role: no 5xx, no answer outside its schema, each allowed route succeeds`, async () => {
  const fuzzed = await fuzz({ requests: REQUESTS, seed: SEED })
  console.log(successTable(fuzzed))
  const part = fuzzed.passedValidation / fuzzed.requests
  console.log(`seed ${SEED}: ${fuzzed.requests} requests, ${(part * 100).toFixed(1)} % passed validation`)
  expect(fuzzed.failures.map(({ role, detail, curl }) => `as ${role}: ${detail}\n${curl}`)).toEqual([])
  expect(fuzzed.missing).toEqual([])
  expect(part).toBeGreaterThan(0.3)
}, 600_000)
