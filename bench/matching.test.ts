import { expect, test } from 'bun:test'
import { gridOf } from './matching/grid.ts'
import { oracleEngine } from './matching/ours.ts'
import { check } from './matching/side.ts'
import { run } from './matching.ts'

test('our engine, with its index and without, fills the orders that the quotes demand, as the oracle does', async () => {
  const figures = await run({ quotes: 1000, rounds: 1, leastS: 0, peer: false })
  const named = (prefix: string) => figures.filter(({ figure }) => figure.startsWith(`matching.${prefix}`))
  expect(named('plain_').every(({ ratio }) => ratio === null)).toBe(true)
  expect(named('oracle_').map(({ peer_name }) => peer_name)).toEqual(Array(5).fill(oracleEngine.name))
  for (const { figure, ours } of figures) if (!figure.endsWith('decision')) expect(ours).toBeGreaterThan(0)
}, 30_000)

test('100 orders keep working while the market moves through them', () => {
  const grid = gridOf({ quotes: 5000, moving: true })
  expect(grid.working).toBe(100)
  expect(grid.fills.length).toBeGreaterThan(50)
  expect(gridOf({ quotes: 5000, moving: false }).decisions).toBe(0)
})

test('an order filled too early, late or not at all is found', async () => {
  const grid = gridOf({ quotes: 1000, moving: true })
  const right = await oracleEngine.run(grid)
  const judge = (fills: string[]) => () => check(oracleEngine, grid, { ...right, fills }, right.balance)
  expect(judge(right.fills)).not.toThrow()
  expect(judge(right.fills.toReversed())).toThrow('fill 0 is of')
  expect(judge(right.fills.slice(0, -1))).toThrow('is of undefined')
  expect(judge([...right.fills, 'g0'])).toThrow('fills are')
})
