import { expect, test } from 'bun:test'
import { worstCase } from './worst-case.ts'

const floor = (rule: string, distance: string, stop_beyond: boolean | null = null) => ({
  rule,
  index: 0,
  metric: 'equity',
  value: '0',
  floor: '0',
  distance,
  stop_beyond,
})
const breach = (rule: string, effect: string) => ({
  rule,
  index: 0,
  effect,
  metric: 'equity',
  value: '94',
  limit: '95',
})

test('the nearest floor is named, a cap is none, and whether the stop lies beyond it', () => {
  const said = (...floors: ReturnType<typeof floor>[]) => worstCase({ floors, breaches: [] })
  const far = floor('max_loss', '900.00')
  expect(said(far, floor('max_daily_loss', '80.00', true), floor('daily_profit_cap', '1.00'))).toBe(
    'Filled now, this order leaves 80.00 to the max_daily_loss floor; its stop lies beyond it.',
  )
  expect(said(far)).toBe('Filled now, this order leaves 900.00 to the max_loss floor.')
  expect(said()).toBeNull()
})
test('an order that is a breach by itself is called one, a hard one first', () => {
  const breaches = [breach('max_daily_loss', 'soft'), breach('max_loss', 'hard')]
  expect(worstCase({ floors: [floor('max_loss', '-1.00')], breaches })).toBe(
    'Placed now, this order is a breach of max_loss (hard): equity 94 against 95.',
  )
})
