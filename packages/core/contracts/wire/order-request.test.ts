import { describe, expect, test } from 'bun:test'
import type { AssayError } from '../errors.ts'
import { AmendRequest, amendBody, OrderRequest, orderBody } from './order-request.ts'
import { parseWire } from './parse.ts'

const order = (more: object = {}) => ({ symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '1', ...more })
const limit = (more: object = {}) => order({ type: 'limit', price: '100', ...more })
const stop = (more: object = {}) => order({ type: 'stop', stop_price: '100', ...more })
const body = (said: object) => orderBody(parseWire(OrderRequest, said))
const refused = (said: object): string | undefined => {
  try {
    parseWire(OrderRequest, said)
  } catch (error) {
    return (error as AssayError).options.field
  }
}
const exits = { take_profit: { price: '110' }, stop_loss: { stop_price: '90' } }

describe('what the engine is told', () => {
  test.each([
    ['an order as it is', limit({ time_in_force: 'fok' }), limit({ time_in_force: 'fok' })],
    [
      'times are ms',
      limit({ time_in_force: 'gtd', expires_at: '2024-03-01T10:00:00+01:00' }),
      limit({ time_in_force: 'gtd', expires_at: Date.parse('2024-03-01T09:00:00Z') }),
    ],
    ['a bracket without a price is a market order', order({ type: 'bracket', ...exits }), order(exits)],
    ['a bracket with a price is a limit', limit({ type: 'bracket', ...exits }), limit(exits)],
    ['a bracket with a stop_price is a stop', stop({ type: 'bracket', ...exits }), stop(exits)],
    [
      'a bracket with both is a stop-limit',
      stop({ type: 'bracket', price: '101', ...exits }),
      stop({ type: 'stop_limit', price: '101', ...exits }),
    ],
    [
      'a pair of legs',
      limit({ type: 'oco', stop_price: '120', stop_limit_price: '121' }),
      limit({ type: 'oco', stop_price: '120', stop_limit_price: '121' }),
    ],
    [
      'a trailing stop',
      order({ type: 'trailing_stop', trail: { pct: '1' }, activation_price: '105' }),
      order({ type: 'trailing_stop', trail: { pct: '1' }, activation_price: '105' }),
    ],
    [
      'an exit that trails',
      order({ type: 'bracket', stop_loss: { trail: { offset: '5' } } }),
      order({ stop_loss: { trail: { offset: '5' } } }),
    ],
  ])('%s', (_, said, told) => expect(body(said) as object).toEqual(told))
})

describe('a field that does not fit the type is refused by name (V2.2.3)', () => {
  test.each([
    ['price', order({ price: '1' })],
    ['price', limit({ price: undefined })],
    ['stop_price', order({ type: 'stop' })],
    ['stop_price', limit({ stop_price: '1' })],
    ['price', order({ type: 'stop_limit', stop_price: '1' })],
    ['trail', order({ type: 'trailing_stop' })],
    ['trail', order({ type: 'trailing_stop', trail: { offset: '1', pct: '1' } })],
    ['stop_price', order({ type: 'oco', price: '1' })],
    ['stop_limit_price', limit({ stop_limit_price: '1' })],
    ['activation_price', stop({ activation_price: '1' })],
    ['time_in_force', order({ time_in_force: 'day' })],
    ['time_in_force', stop({ time_in_force: 'ioc' })],
    ['expires_at', limit({ time_in_force: 'gtd' })],
    ['expires_at', limit({ expires_at: '2024-03-01T10:00:00Z' })],
    ['expires_at', limit({ time_in_force: 'gtd', expires_at: '2024-03-01T10:00:00' })],
    ['post_only', stop({ post_only: true })],
    ['post_only', limit({ post_only: true, time_in_force: 'ioc' })],
    ['take_profit', order({ type: 'bracket' })],
    ['take_profit', limit({ type: 'oco', stop_price: '120', ...exits })],
    ['take_profit', order({ reduce_only: true, ...exits })],
    ['stop_loss', order({ position: 'o3', stop_loss: { stop_price: '1' } })],
    ['stop_loss.price', order({ stop_loss: { trail: { pct: '1' }, price: '3' } })],
    ['stop_loss', order({ stop_loss: {} })],
    ['quantity', order({ quantity: 1 })],
    ['type', order({ type: 'iceberg' })],
    ['client_order_id', order({ client_order_id: 'a b' })],
  ])('%s: %j', (field, said) => expect(refused(said)).toBe(field))
})

test('an amendment says at least one thing, and times are ms', () => {
  expect(() => parseWire(AmendRequest, {})).toThrow('say what changes')
  const said = parseWire(AmendRequest, { price: '101', expires_at: '2024-03-01T09:00:00Z' })
  expect(amendBody(said)).toEqual({ price: '101', expires_at: Date.parse('2024-03-01T09:00:00Z') })
})
