import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { openBlobFolder } from '@assay/core/ports/blobs/folder'
import { bundleName, bundleRange, listBundles, readArchived } from '@assay/core/ports/marketlog/archive'
import { openSegmentLog } from '@assay/core/ports/marketlog/segments'
import { ManualClock } from '@assay/core/testing/clock'
import { until } from '@assay/core/testing/until'
import { archivedTo, archiveSegments } from './archive-segments.ts'
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

const open = (name: string) =>
  openSegmentLog({
    folder: join(folder, name),
    clock: new ManualClock(),
    reserveBytes: 1024,
    fileEvents: 1,
    keepEvents: 0,
  })

describe('upkeep of the market log', () => {
  test('sealed segments lie in the blobs once, as the log has them', async () => {
    const blobs = openBlobFolder(join(folder, 'blobs-a'))
    const marketlog = await open('a')
    await marketlog.fence('main', 1)
    await marketlog.append('main', 1, minutes(0, 130))
    const put: string[] = []
    const counted = {
      ...blobs,
      put: (name: string, bytes: Uint8Array) => {
        put.push(name)
        return blobs.put(name, bytes)
      },
    }
    const run = { marketlog, blobs: counted, group: 'main', signal: new AbortController().signal }
    expect(await archiveSegments(run, 0)).toBe(240)
    expect(await archivedTo(blobs, 'main')).toBe(240)
    expect(await archiveSegments(run, 240)).toBe(240)
    expect(put).toEqual(
      [
        [1, 120],
        [121, 240],
      ].map(([first, last]) => bundleName('main', { first: first!, last: last! })),
    )
    const [early, late] = [
      (await marketlog.segments('main', 1, 1))[0]!,
      (await marketlog.segments('main', 239, 239))[0]!,
    ]
    expect(await readArchived(blobs, 'main', early)).toEqual(minutes(0, 130).slice(0, 2))
    expect(await readArchived(blobs, 'main', late)).toEqual(minutes(0, 130).slice(238, 240))
    await expect(readArchived(blobs, 'main', { ...late, head: '00' })).rejects.toThrow('not 00')
    await marketlog.close()
  })

  test('what is over its size goes oldest first with its archive, what a proof needs stays, health can say so', async () => {
    const clock = new ManualClock()
    const blobs = openBlobFolder(join(folder, 'blobs-b'))
    const marketlog = await open('b')
    await marketlog.fence('main', 1)
    await marketlog.append('main', 1, minutes(0, 130))
    marketlog.pin('main', 'proof', 125)
    const upkeep = createUpkeep({ marketlog, blobs, clock, log: quiet }, 'main', 1)
    const stop = new AbortController()
    const running = upkeep.run(stop.signal)
    await until('one round', async () => {
      await clock.advance(60_000)
      return upkeep.droppedForSize > 0
    })
    expect([upkeep.retained!.first, upkeep.droppedForSize]).toEqual([125, 62])
    await until('the archive follows', async () => bundleRange((await listBundles(blobs, 'main'))[0]!).first === 121)
    stop.abort()
    await running
    await marketlog.close()
  })
})
