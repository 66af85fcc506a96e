import { expect, test } from 'bun:test'
import { Replica } from './replica.ts'

test('what passes through a replica ends when that has been away for 5 s, not before; what was released is left alone', () => {
  const replica = new Replica('websocket', 'https://127.0.0.1:1')
  const ended: string[] = []
  replica.hold(() => ended.push('socket'))
  replica.hold(() => ended.push('released'))()
  replica.seen('ready', undefined, 0)
  replica.seen('away', undefined, 1_000)
  replica.seen('away', undefined, 5_999)
  expect([ended, replica.held]).toEqual([[], 1])
  replica.seen('away', undefined, 6_000)
  expect([ended, replica.held]).toEqual([['socket'], 0])
})
test('one that came back in between keeps what passes through it', () => {
  const replica = new Replica('websocket', 'https://127.0.0.1:1')
  let ended = 0
  replica.hold(() => ended++)
  for (const at of [0, 4_000, 8_000]) {
    replica.seen('away', undefined, at)
    replica.seen('ready', undefined, at + 1_000)
  }
  expect(ended).toBe(0)
})
test('no more than 512 calls are under way at a replica; the one that ends makes room', () => {
  const replica = new Replica('trading', 'https://127.0.0.1:1')
  for (let n = 0; n < 512; n++) expect(replica.enter(0)).toBe('normal')
  expect([replica.enter(0), replica.rank(0)]).toEqual(['refused', null])
  replica.leave('normal', 'answered', 0)
  expect([replica.rank(0), replica.enter(0)]).toEqual([0, 'normal'])
})
test('ready ones are asked first, then those in doubt, then those that are away', () => {
  const rank = (state: Replica['state'], failedAt?: number) => {
    const replica = new Replica('trading', 'https://127.0.0.1:1')
    replica.seen(state, undefined, 0)
    if (failedAt !== undefined) replica.failed('lost', failedAt)
    return replica.rank(2_500)
  }
  expect([rank('unknown'), rank('ready'), rank('ready', 400)]).toEqual([0, 0, 0])
  expect([rank('not ready'), rank('ready', 600)]).toEqual([1, 1])
  expect([rank('draining'), rank('away')]).toEqual([2, 2])
})
