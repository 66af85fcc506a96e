/** The index against the plain replay that lets every account look at every event: not one record may differ. */
import { expect, test } from 'bun:test'
import { compareWorlds } from '../../../../bench/rules/compare-worlds.ts'

test('the index decides what a look at every account at every event decides, record for record', () => {
  for (let seed = 1; seed <= 12; seed++) compareWorlds(seed, 600, { volatility: 0.004 })
}, 60_000)
test('Emin <= E <= Emax, floorSup <= Emin and room above the stop-out level hold at every event while conversion rates jump wildly', () => {
  for (let seed = 101; seed <= 108; seed++)
    compareWorlds(seed, 400, { volatility: 0.003, rateVolatility: 0.08 }, { checkBoxes: true })
}, 60_000)
test('resets, checkpoints and changes of the clock that are put off write what they write at once; boxes hold meanwhile', () => {
  const clocks = ['2024-03-29T08:00:00Z', '2024-10-25T08:00:00Z'].map(Date.parse)
  for (let seed = 201; seed <= 208; seed++) {
    const pace = [20_000, 120_000, 900_000][seed % 3]!
    compareWorlds(
      seed,
      400,
      { volatility: 0.002, rateVolatility: 0.01, pace, start: clocks[seed % 2]! },
      { checkBoxes: true, defer: true },
    )
  }
}, 60_000)
test('a calm market touches few accounts', () => {
  const { touches, pairs } = compareWorlds(7, 2000, { volatility: 0.0001, pace: 2000 })
  expect(touches).toBeLessThan(pairs / 2)
}, 60_000)
