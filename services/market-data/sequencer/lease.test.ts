import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Db } from '@assay/core/ports/db/port'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import { ManualClock } from '@assay/core/testing/clock'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { until } from '@assay/core/testing/until'
import { keepLeading } from './lead.ts'
import { takeLease } from './lease.ts'

let database: TestDatabase
let db: Db
beforeAll(async () => {
  database = await testDatabase()
  db = database.db.as('market_data')
})
afterAll(() => database.drop())
const expire = (group: string) =>
  database.db.query(
    "update market_data.leader set expires_at = clock_timestamp() - interval '1 s' where market_group = $1",
    [group],
  )

describe('the lease of a market group', () => {
  const ask = (holder: string, more = {}) => takeLease({ db, group: 'g', holder, above: 0, alone: false, ...more })

  test('one holds it; the next gets it when it has run out, under a higher epoch', async () => {
    const first = (await ask('a'))!
    expect([first.epoch, await ask('b')]).toEqual([1, null])
    expect(await first.renew()).toBe(true)
    await expire('g')
    expect(await first.renew()).toBe(false)
    const second = (await ask('b'))!
    expect([second.epoch, await first.renew(), await second.renew()]).toEqual([2, false, true])
    await second.release()
    expect((await ask('c'))!.epoch).toBe(3)
  })

  test('where no other process can be, it is taken at once; the epoch is above what the log has', async () => {
    expect((await ask('d', { alone: true }))!.epoch).toBe(4)
    expect((await ask('e', { alone: true, above: 100 }))!.epoch).toBe(101)
  })
})

test('a leader whose lease went to another stops, and leads again when it can', async () => {
  const marketlog = createMemoryLog()
  const clock = new ManualClock()
  const stop = new AbortController()
  const epochs: number[] = []
  let ended = 0
  const leading = keepLeading(
    {
      db,
      marketlog,
      clock,
      group: 'lead',
      holder: 'me',
      repeats: false,
      log: { info: () => {}, warn: () => {} },
      run: async (epoch, signal) => {
        epochs.push(epoch)
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        ended++
        throw signal.reason
      },
    },
    stop.signal,
  )
  await until('it leads', () => epochs.length === 1)
  await expire('lead')
  const step = () => clock.advance(1000)
  await until('it stopped', async () => {
    await step()
    return ended === 1
  })
  await until('it leads again', async () => {
    await step()
    return epochs.length === 2
  })
  expect(epochs).toEqual([1, 2])
  await expect(marketlog.fence('lead', 1)).rejects.toThrow('behind 2')
  stop.abort()
  await leading
})
