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
const said = (...floors: ReturnType<typeof floor>[]) => worstCase({ floors })

test('the nearest floor is named, a cap is none, and whether the stop lies beyond it', () => {
  const far = floor('max_loss', '900.00')
  expect(said(far, floor('max_daily_loss', '80.00', true), floor('daily_profit_cap', '1.00'))).toBe(
    'Filled now, this order leaves 80.00 to the max_daily_loss floor; its stop lies beyond it.',
  )
  expect(said(far)).toBe('Filled now, this order leaves 900.00 to the max_loss floor.')
  expect(said()).toBeNull()
})
test('an order whose costs alone cross a floor is called a breach', () =>
  expect(said(floor('max_daily_loss', '-31.70'))).toBe(
    'Filled now, this order is a breach: 31.70 beyond the max_daily_loss floor.',
  ))
