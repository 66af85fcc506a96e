import { expect, test } from 'bun:test'
import type { MarketLog } from '@assay/core/ports/marketlog/port'
import { SegmentEnds } from './segment-ends.ts'

const heads = [10, 20, 30, 40].map((last) => ({
  head: '',
  prev: '',
  first: last - 9,
  last,
  firstMts: 0,
  lastMts: last * 1000,
  groups: {},
}))
function log() {
  const asked: [number, number][] = []
  const segments: MarketLog['segments'] = async (_, from, to) => {
    asked.push([from, to])
    return heads.filter((head) => head.first <= to && head.last >= from)
  }
  return { asked, segments }
}

test('ends of the segments that touch a range, each read from the log once', async () => {
  const source = log()
  const ends = new SegmentEnds(source)
  expect((await ends.between('main', 12, 25)).map(({ last }) => last)).toEqual([20, 30])
  expect((await ends.between('main', 5, 40)).map(({ last }) => last)).toEqual([10, 20, 30, 40])
  expect((await ends.between('main', 31, 40)).map(({ last }) => last)).toEqual([40])
  expect(source.asked).toEqual([
    [12, 25],
    [5, 19],
    [31, 40],
  ])
})
test('a segment that was still open is found when it has ended', async () => {
  const ends = new SegmentEnds({ segments: async (_, from) => heads.filter(({ last }) => last >= from).slice(0, 1) })
  expect((await ends.between('main', 1, 15)).map(({ last }) => last)).toEqual([10])
  expect((await ends.between('main', 1, 15)).map(({ last }) => last)).toEqual([10, 20])
})
