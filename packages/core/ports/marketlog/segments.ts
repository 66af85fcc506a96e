import { mkdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock/port.ts'
import { LogFolder } from './log-folder.ts'
import type { MarketLog } from './port.ts'
import { createReserve, RESERVE_BYTES } from './reserve.ts'

export interface SegmentLogOptions {
  folder: string
  clock: Clock
  log?: { warn(fields: object, message: string): void }
  reserveBytes?: number
  /** how many events a file holds before the next segment begins another one (65,536) */
  fileEvents?: number
  /** how many events of sealed segments stay in memory besides the newest segment (65,536) */
  keepEvents?: number
  /** writes all of it or throws, as the disk would; a test gives one that runs out of space */
  write?: (file: number, text: string) => void
}

/** The embedded market log: one folder a group, files of whole segments, checksums on every line. */
export async function openSegmentLog(options: SegmentLogOptions): Promise<MarketLog> {
  mkdirSync(options.folder, { recursive: true })
  const reserve = createReserve(join(options.folder, 'reserve'), options.reserveBytes ?? RESERVE_BYTES)
  const opening = { ...options, reserve }
  const groups = new Map<string, LogFolder>()
  for (const entry of await readdir(options.folder, { withFileTypes: true })) {
    if (entry.isDirectory()) groups.set(entry.name, await LogFolder.open(entry.name, opening))
  }
  const folderOf = (group: string): LogFolder => {
    let folder = groups.get(group)
    if (!folder) {
      if (!/^[a-z0-9-]{1,40}$/.test(group)) throw new RangeError(`not a group name: ${group}`)
      folder = LogFolder.make(group, opening)
      groups.set(group, folder)
    }
    return folder
  }
  return {
    fence: async (group, epoch, repeats) => folderOf(group).fence(epoch, repeats),
    append: async (group, epoch, events) => folderOf(group).append(epoch, events),
    end: async (group) => folderOf(group).tail.end(),
    raise: async (group, mseq) => folderOf(group).tail.raise(mseq),
    read: (group, fromMseq, signal) => folderOf(group).read(fromMseq, signal),
    carry: async (group, mseq) => folderOf(group).carry(mseq),
    segments: async (group, from, to) => folderOf(group).segments(from, to),
    seal: async (group) => folderOf(group).seal(),
    pin: (group, id, mseq) => folderOf(group).tail.pin(id, mseq),
    retain: async (group, limits) => folderOf(group).retain(limits),
    disk: () => reserve.state(),
    giveUpReserve: () => reserve.giveUp(),
    recoverDisk: () => reserve.recover(),
    async close() {
      for (const folder of groups.values()) await folder.close()
    },
  }
}
