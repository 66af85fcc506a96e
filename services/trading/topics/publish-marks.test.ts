import { expect, test } from 'bun:test'
import { accountMarked } from '@assay/core/contracts/topics/trading'
import type { LiveView } from '@assay/core/domain/engine/live'
import type { Bus } from '@assay/core/ports/bus/port'
import { until } from '@assay/core/testing/until'
import { publishMarks } from './publish-marks.ts'

const mark = (account: string, mseq: number): LiveView =>
  ({ account, aseq: 3, mseq, mts: mseq * 1000, balance: '100', equity: `${100 + mseq}` }) as LiveView

test('marks leave in order, keyed by account; of those that come while one is under way only the newest', async () => {
  const told: [string, number][] = []
  const waiting: (() => void)[] = []
  const publish = (_: unknown, key: string, data: unknown) => {
    const { mseq, assessment_id } = accountMarked.schema.parse(data)
    expect(assessment_id).toBe(key)
    told.push([key, mseq])
    return new Promise<void>((resolve) => waiting.push(resolve))
  }
  const marked = publishMarks({ publish } as unknown as Bus, () => {})
  for (const mseq of [1, 2, 3]) marked(mark('a', mseq))
  marked(mark('b', 3))
  expect(told).toEqual([
    ['a', 1],
    ['b', 3],
  ])
  for (const done of waiting.splice(0)) done()
  await until('the newest left', () => told.length === 3)
  expect(told[2]).toEqual(['a', 3])
})

test('a bus that fails loses a mark, not the ones behind it', async () => {
  const errors: unknown[] = []
  let published = 0
  const publish = async () => {
    if (++published === 1) throw new Error('down')
  }
  const marked = publishMarks({ publish } as unknown as Bus, (err) => errors.push(err))
  marked(mark('a', 1))
  await until('it was told', () => errors.length === 1)
  await until('the next one leaves', () => {
    marked(mark('a', 2))
    return published > 1
  })
})
