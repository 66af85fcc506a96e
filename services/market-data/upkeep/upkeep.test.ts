import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { openBlobFolder } from '@assay/core/ports/blobs/folder'
import { readArchived, segmentName } from '@assay/core/ports/marketlog/archive'
import { openSegmentLog } from '@assay/core/ports/marketlog/segments'
import { ManualClock } from '@assay/core/testing/clock'
import { until } from '@assay/core/testing/until'
import { archiveSegments } from './archive-segments.ts'
import { createUpkeep } from './upkeep.ts'

const folder = mkdtempSync(join(tmpdir(), 'upkeep-'))
afterAll(() => rmSync(folder, { recursive: true }))
const START = Date.UTC(2024, 0, 1)
const quote = (mseq: number, mts: number): MarketEvent => ({
  kind: 'quote',
  symbol: 'BTC/USD',
  venue: 'test',
  ts: mts,
  pos: mseq,
  bid: String(mseq),
  ask: String(mseq + 1),
  mseq,
  mts,
})
/** two a minute */
const minutes = (from: number, n: number) =>
  Array.from({ length: n * 2 }, (_, i) => quote(from * 2 + i + 1, START + (from * 2 + i) * 30_000))
const quiet = { info: () => {}, warn: (fields: object) => console.error(fields) } as never

describe('upkeep of the market log', () => {
  test('a sealed segment lies in the blobs once, as the log has it', async () => {
    const blobs = openBlobFolder(join(folder, 'blobs-a'))
    const marketlog = await openSegmentLog({ folder: join(folder, 'a'), clock: new ManualClock(), reserveBytes: 1024 })
    await marketlog.fence('main', 1)
    await marketlog.append('main', 1, minutes(0, 4))
    const run = { marketlog, blobs, group: 'main', signal: new AbortController().signal }
    const put: string[] = []
    const counted = {
      ...blobs,
      put: (name: string, bytes: Uint8Array) => {
        put.push(name)
        return blobs.put(name, bytes)
      },
    }
    expect(await archiveSegments({ ...run, blobs: counted }, 0)).toBe(6)
    expect(await archiveSegments({ ...run, blobs: counted }, 0)).toBe(6)
    expect(put).toEqual([1, 3, 5].map((first) => segmentName('main', first)))
    for (const head of await marketlog.segments('main', 1, 6)) {
      expect(await readArchived(blobs, 'main', head)).toEqual(minutes(0, 4).slice(head.first - 1, head.last))
    }
    await marketlog.close()
  })

  test('what is over its size goes oldest first with its archive, what a proof needs stays, health can say so', async () => {
    const clock = new ManualClock()
    const blobs = openBlobFolder(join(folder, 'blobs-b'))
    const marketlog = await openSegmentLog({ folder: join(folder, 'b'), clock, reserveBytes: 1024 })
    await marketlog.fence('main', 1)
    await marketlog.append('main', 1, minutes(0, 10))
    marketlog.pin('main', 'proof', 9)
    const upkeep = createUpkeep({ marketlog, blobs, clock, log: quiet }, 'main', 1)
    const stop = new AbortController()
    const running = upkeep.run(stop.signal)
    await until('one round', async () => {
      await clock.advance(60_000)
      return upkeep.droppedForSize > 0
    })
    expect([upkeep.retained!.first, upkeep.droppedForSize]).toEqual([9, 4])
    await until('the archive follows', async () => (await blobs.list('market-log/')).at(0) === segmentName('main', 9))
    stop.abort()
    await running
    await marketlog.close()
  })
})
