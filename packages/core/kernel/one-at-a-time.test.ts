import { expect, test } from 'bun:test'
import { describeReal } from '../testing/adapters.ts'
import { testPostgres } from '../testing/postgres.ts'
import { oneAtATime } from './one-at-a-time.ts'

describeReal('one at a time', () => {
  test('processes that make the first of something make one; other names do not wait', async () => {
    const { db, another, drop } = await testPostgres()
    try {
      const made: string[] = []
      const first = Promise.withResolvers<void>()
      const make = (by: string, wait?: Promise<void>) => async () => {
        const isFirst = made.length === 0
        await wait
        if (isFirst) made.push(by)
      }
      const slow = oneAtATime(db, 'key', make('slow', first.promise))
      const quick = oneAtATime(await another(), 'key', make('quick'))
      expect(await oneAtATime(await another(), 'other', async () => 'at once')).toBe('at once')
      first.resolve()
      await Promise.all([slow, quick])
      expect(made).toHaveLength(1)
    } finally {
      await drop()
    }
  })
})
