import { describe, expect, test } from 'bun:test'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MarketEvent } from '../../domain/market/event.ts'
import type { Clock } from '../clock/port.ts'
import { eventLine, fenceLine } from './line.ts'
import { CorruptLogError, DiskFullError } from './port.ts'
import { openSegmentLog, type SegmentLogOptions } from './segments.ts'

const clock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms)
      signal?.addEventListener('abort', () => {
        clearTimeout(timer)
        reject(signal.reason)
      })
    }),
}
const RESERVE = 64 * 1024
function scratch() {
  const folder = mkdtempSync(join(tmpdir(), 'marketlog-'))
  const open = (more: Partial<SegmentLogOptions> = {}) =>
    openSegmentLog({ folder, clock, reserveBytes: RESERVE, fileEvents: 1, keepEvents: 0, ...more })
  return {
    folder,
    open,
    file: (name = readdirSync(join(folder, 'main')).sort().at(-1)!) => join(folder, 'main', name),
    remove: () => rmSync(folder, { recursive: true }),
  }
}
const START = Date.UTC(2024, 0, 1)
const event = (mseq: number): MarketEvent => ({
  kind: 'quote',
  symbol: 'BTC/USD',
  venue: 'test',
  ts: START + mseq,
  pos: mseq,
  bid: '1',
  ask: '2',
  mseq,
  mts: START + mseq,
})
const events = (from: number, n: number) => Array.from({ length: n }, (_, i) => event(from + i))

describe('marketlog: segment files', () => {
  test('a torn tail is cut off at every length and the log goes on', async () => {
    const { open, file, remove } = scratch()
    const first = await open()
    await first.fence('main', 1)
    await first.append('main', 1, events(1, 3))
    await first.close()
    const whole = readFileSync(file())
    const lineEnds = [...whole.entries()].filter(([, byte]) => byte === 10).map(([at]) => at + 1)
    for (let length = lineEnds[0]!; length < whole.length; length += 17) {
      writeFileSync(file(), whole.subarray(0, length))
      const log = await open()
      const kept = lineEnds.filter((end) => end <= length).length - 1
      expect((await log.end('main'))?.mseq ?? 0).toBe(kept)
      await log.append('main', 1, events(kept + 1, 1))
      await log.close()
      expect(readFileSync(file()).length).toBe(lineEnds[kept + 1]!)
    }
    remove()
  })

  test('a header torn off with everything behind it leaves the segments before', async () => {
    const { open, file, remove } = scratch()
    const log = await open()
    await log.fence('main', 1)
    await log.append('main', 1, [...events(1, 2), { ...event(3), mts: START + 90_000 }])
    await log.close()
    truncateSync(file(), 20)
    const again = await open()
    expect((await again.end('main'))?.mseq).toBe(2)
    expect((await again.segments('main', 1, 9)).length).toBe(1)
    await again.close()
    remove()
  })

  test('segments sealed early stay sealed, and numbers go on, after it was opened again', async () => {
    const { open, remove } = scratch()
    const many = { fileEvents: 1000 }
    const log = await open(many)
    await log.fence('main', 1)
    await log.append('main', 1, events(1, 3))
    const head = await log.seal('main')
    await log.append('main', 1, events(4, 3))
    await log.close()
    const again = await open(many)
    expect(await again.segments('main', 1, 9)).toEqual([head!])
    await again.append('main', 1, [{ ...event(7), mts: START + 60_000 }])
    expect((await again.segments('main', 1, 9)).map((h) => [h.first, h.last, h.prev === head!.head])).toEqual([
      [1, 3, false],
      [4, 6, true],
    ])
    await again.close()
    remove()
  })

  test('a late write of an old epoch in the file is not seen', async () => {
    const { open, file, remove } = scratch()
    const log = await open()
    await log.fence('main', 1)
    await log.append('main', 1, events(1, 1))
    await log.close()
    const text = JSON.stringify({ ...event(2), bid: '0.5' })
    appendFileSync(file(), fenceLine(2) + eventLine(1, text))
    const again = await open()
    expect(await again.end('main')).toEqual({ mseq: 1, mts: START + 1, epoch: 2 })
    await again.append('main', 2, events(2, 1))
    await again.close()
    const third = await open()
    expect(await third.end('main')).toEqual({ mseq: 2, mts: START + 2, epoch: 2 })
    await third.close()
    remove()
  })

  test('a flipped byte in a sealed segment is an error with its place, never other events', async () => {
    const { folder, open, remove } = scratch()
    const log = await open()
    await log.fence('main', 1)
    for (let minute = 0; minute < 4; minute++)
      await log.append('main', 1, [{ ...event(minute + 1), mts: START + minute * 60_000 }])
    const path = join(folder, 'main', readdirSync(join(folder, 'main')).sort()[0]!)
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(path, bytes)
    const read = async () => {
      for await (const batch of log.read('main', 1, AbortSignal.timeout(2000))) if (batch.at(-1)!.mseq === 4) return
    }
    await expect(read()).rejects.toThrow(CorruptLogError)
    await log.close()
    remove()
  })

  test('a full disk costs the reserve, then refuses whole appends, then goes on without a restart', async () => {
    let room = Number.POSITIVE_INFINITY
    const { folder, open, remove } = scratch()
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    const write = (file: number, text: string) => {
      const freed = existsSync(join(folder, 'reserve')) ? 0 : 1000
      if (text.length > room + freed) {
        writeSync(file, text.slice(0, 30))
        throw full
      }
      room -= text.length
      writeSync(file, text)
    }
    const log = await open({ write })
    await log.fence('main', 1)
    await log.append('main', 1, events(1, 2))
    expect(log.disk()).toBe('ok')
    room = 0
    await log.append('main', 1, events(3, 2))
    expect(log.disk()).toBe('reserve')
    room = -2000
    await expect(log.append('main', 1, events(5, 1))).rejects.toThrow(DiskFullError)
    expect(log.disk()).toBe('full')
    expect((await log.end('main'))?.mseq).toBe(4)
    room = Number.POSITIVE_INFINITY
    expect(await log.recoverDisk()).toBe('ok')
    await log.append('main', 1, events(5, 1))
    await log.close()
    const again = await open()
    expect((await again.end('main'))?.mseq).toBe(5)
    await again.close()
    remove()
  })

  test('old segments are dropped oldest first, by age and by size, the newest never', async () => {
    const { open, remove } = scratch()
    const log = await open()
    await log.fence('main', 1)
    for (let minute = 0; minute < 10; minute++)
      await log.append('main', 1, [{ ...event(minute + 1), mts: START + minute * 60_000 }])
    const aged = await log.retain('main', { beforeMts: START + 3 * 60_000, maxBytes: 1e9 })
    expect([aged.dropped, aged.forSize, aged.first]).toEqual([3, 0, 4])
    const sized = await log.retain('main', { beforeMts: 0, maxBytes: aged.bytes - 1 })
    expect([sized.dropped, sized.forSize, sized.first]).toEqual([1, 1, 5])
    log.pin('main', 'proof', 7)
    expect((await log.retain('main', { beforeMts: START * 2, maxBytes: 0 })).first).toBe(7)
    log.pin('main', 'proof', null)
    const all = await log.retain('main', { beforeMts: START * 2, maxBytes: 0 })
    expect(all.first).toBe(9)
    for await (const batch of log.read('main', 1, AbortSignal.timeout(2000))) {
      expect(batch[0]!.mseq).toBe(9)
      break
    }
    await log.close()
    remove()
  })
})
