import { afterAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { randomOf } from '@assay/core/testing/random-world'
import { scratchRecordings } from '@assay/services/market-data/testing/recordings'
import { backtestSide } from './replay/ours.ts'
import { planOf } from './replay/recording.ts'
import { check, checkPrices } from './replay/side.ts'
import { run } from './replay.ts'

const scratch = scratchRecordings()
afterAll(() => scratch.remove())
const random = randomOf(3)
const file = scratch.write(
  'xrp-eth.json.gz',
  JSON.stringify(
    Array.from({ length: 300 }, (_, at) => {
      const side = at === 0 || random() < 0.5 ? 'sell' : 'buy'
      const price = Number((0.0014 + Math.floor(random() * 100) / 1e8).toFixed(8))
      return [1_570_752_000_000 + at * 500, String(at), null, side, price, 1 + Math.floor(random() * 50), 0]
    }),
  ),
)

test('every order is filled at its instant of the file, and the figures say how fast', async () => {
  const figures = await run({ file, orders: 20, rounds: 1, peer: false })
  expect(figures.map(({ figure }) => figure)).toEqual([
    'replay.events',
    'replay.events_cpu',
    'replay.run',
    'replay.lag_p99',
    'replay.lag_max',
  ])
  for (const { ours, ratio } of figures) {
    expect(ours).toBeGreaterThanOrEqual(0)
    expect(ratio).toBeNull()
  }
}, 20_000)

test('a trade not seen, an order filled elsewhere and another price are found', async () => {
  const plan = planOf(file, readFileSync(file), 20)
  const right = await backtestSide(plan).run()
  const [[ms, quantity, price], ...others] = right.fills as [[number, number, number], ...[number, number, number][]]
  expect(() => check('ours', plan, right)).not.toThrow()
  expect(() => check('ours', plan, { ...right, seen: right.seen - 1 })).toThrow('trades seen are')
  expect(() => check('ours', plan, { ...right, fills: others })).toThrow('fills are 19')
  expect(() => check('ours', plan, { ...right, fills: [[ms + 1, quantity, price], ...others] })).toThrow('fill 0 is at')
  expect(() => check('ours', plan, { ...right, fills: [[ms, 0, price], ...others] })).toThrow('fill 0 is of')
  expect(() => checkPrices(right.fills, [[ms, quantity, price + 2e-8], ...others])).toThrow('fill 0 is at')
})
