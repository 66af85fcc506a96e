import { expect, test } from 'bun:test'
import { instrument, spec, World } from '../../testing/world.ts'
import { decodeState, encodeState } from './stored-state.ts'

test('a stored account comes back as it was, its exact decimals however long', () => {
  const eight = { price_tick: '0.00000001', quantity_step: '0.00000001', min_quantity: '0.00000001' }
  const traded = instrument('ABC/XYZ', {
    ...eight,
    contract_size: '0.00000001',
    conversions: {
      USD: [
        { symbol: 'XYZ/QQQ', direct: true },
        { symbol: 'QQQ/USD', direct: true },
      ],
    },
  })
  const w = new World(
    spec(
      [
        {
          rule: 'max_daily_loss',
          anchor: 'day_high',
          limit: { pct: '2.5', of: 'anchor' },
          metric: 'equity',
          compare: 'lt',
          tested: 'always',
          effect: 'hard',
        },
      ],
      { instruments: [traded] },
    ),
  )
  w.start('2024-03-04T08:00:00Z')
  for (const symbol of ['XYZ/QQQ', 'QQQ/USD', 'ABC/XYZ'])
    w.quote('2024-03-04T08:00:01Z', '1.12345678', '1.12345679', { symbol })
  w.buy('1000.12345679', { symbol: 'ABC/XYZ' })
  w.quote('2024-03-04T08:00:02Z', '1.92345678', '1.92345679', { symbol: 'ABC/XYZ' })
  const stored = encodeState(w.state)
  expect((stored.day as { high: string }).high.split('.')[1]!.length).toBe(40)
  expect(encodeState(decodeState(JSON.parse(JSON.stringify(stored))))).toEqual(stored)
})
