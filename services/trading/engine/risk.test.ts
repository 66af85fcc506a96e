import { expect, test } from 'bun:test'
import { newAccount } from '@assay/core/domain/engine/state'
import type { Command } from '@assay/core/domain/engine/types'
import { dec } from '@assay/core/domain/money/dec'
import { increasesRisk } from './risk.ts'

const holding = (...quantities: string[]) => {
  const account = newAccount('a')
  account.book.positions = quantities.map((quantity, n) => ({
    id: `o${n}`,
    symbol: 'TST/USD',
    quantity: dec(quantity),
    cost: dec('0'),
    openedAt: 0,
    openedDay: 0,
  }))
  return account
}
const order = (side: 'buy' | 'sell', quantity: string, more: object = {}): Command => ({
  op: 'order',
  symbol: 'TST/USD',
  side,
  type: 'market',
  quantity,
  ...more,
})
test.each<[what: string, held: string[], command: Command, adds: boolean]>([
  ['with the position', ['5'], order('buy', '1'), true],
  ['against it', ['5'], order('sell', '5'), false],
  ['beyond it', ['5'], order('sell', '6'), true],
  ['against a short one', ['-5'], order('buy', '5'), false],
  ['with nothing held', [], order('sell', '1'), true],
  ['reduce-only', [], order('sell', '6', { reduce_only: true }), false],
  ['of a ticket', ['5', '-5'], order('sell', '5', { position: 'o0' }), false],
  ['without a ticket where both sides stand', ['5', '-5'], order('sell', '1'), true],
  ['a close', ['5'], { op: 'close', position: 'o0' }, false],
  ['an amendment of the price', ['5'], { op: 'amend', order: 'o1', price: '1' }, false],
  ['an amendment of the quantity', ['5'], { op: 'amend', order: 'o1', quantity: '9' }, true],
  ['a cancel', ['5'], { op: 'cancel_all' }, false],
  ['a pause', [], { op: 'pause' }, false],
  ['a start', [], { op: 'start' }, true],
])('on a full disk only what reduces exposure is taken: %s', (_, held, command, adds) => {
  expect(increasesRisk(holding(...held), command)).toBe(adds)
})
