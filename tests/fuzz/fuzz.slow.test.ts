import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Process, scratchHome, startProcess } from '../e2e/platform.ts'
import { fuzz, successTable } from './fuzz.ts'
import { LIMITS_OFF } from './platform.ts'

const REQUESTS = 5_000
const SEED = 20_261_121
const { home, remove } = scratchHome()
let platform: Process
beforeAll(async () => {
  platform = await startProcess(home, { env: LIMITS_OFF })
}, 30_000)
afterAll(async () => {
  await platform.stop('SIGKILL')
  remove()
})

test(`${REQUESTS} requests over the whole document, as every role: no 5xx, no answer outside its schema`, async () => {
  const fuzzed = await fuzz({ url: platform.url, requests: REQUESTS, seed: SEED, home })
  console.log(successTable(fuzzed))
  const part = fuzzed.passedValidation / fuzzed.requests
  console.log(`seed ${SEED}: ${fuzzed.requests} requests, ${(part * 100).toFixed(1)} % passed validation`)
  expect(fuzzed.failures.map(({ role, detail, curl }) => `as ${role}: ${detail}\n${curl}`)).toEqual([])
  expect(part).toBeGreaterThan(0.3)
}, 600_000)
