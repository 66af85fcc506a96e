import { expect, test } from 'bun:test'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MarketEvent } from '../../domain/market/event.ts'
import { systemClock as clock } from '../clock/system.ts'
import { DiskFullError } from './port.ts'
import { openSegmentLog } from './segments.ts'

const MIB = 1024 * 1024
const event = (mseq: number): MarketEvent => ({ kind: 'clock', ts: mseq, pos: 0, mseq, mts: mseq })

/** A file system of 4 MiB, or null where this user may not make one. */
function smallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'small-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' })
    return folder
  } catch {
    rmSync(folder, { recursive: true })
    console.warn('skipped: this user may not mount a small file system')
    return null
  }
}

const disk = smallDisk()
test.skipIf(!disk)(
  'on a disk that is really full: the reserve, then a whole refusal, then on without a restart',
  async () => {
    const folder = disk!
    try {
      const log = await openSegmentLog({ folder, clock, reserveBytes: MIB })
      await log.fence('main', 1)
      const states = new Set<string>()
      let refused: unknown
      let next = 1
      writeFileSync(join(folder, 'somebody-else'), new Uint8Array(2 * MIB))
      while (refused === undefined) {
        const batch = Array.from({ length: 500 }, (_, i) => event(next + i))
        await log.append('main', 1, batch).then(
          () => {
            next += batch.length
          },
          (error) => {
            refused = error
          },
        )
        states.add(log.disk())
      }
      expect(refused).toBeInstanceOf(DiskFullError)
      expect([...states]).toEqual(['ok', 'reserve', 'full'])
      expect((await log.end('main'))?.mseq).toBe(next - 1)

      rmSync(join(folder, 'somebody-else'))
      expect(await log.recoverDisk()).toBe('ok')
      await log.append('main', 1, [event(next)])
      await log.close()
      const again = await openSegmentLog({ folder, clock, reserveBytes: MIB })
      expect((await again.end('main'))?.mseq).toBe(next)
      await again.close()
    } finally {
      execFileSync('umount', [folder])
      rmSync(folder, { recursive: true })
    }
  },
)
