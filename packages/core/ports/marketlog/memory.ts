import { eventText } from '../../domain/proof/segment.ts'
import type { MarketLog } from './port.ts'
import { LogTail } from './tail.ts'

/** The market log of a scratch run (backtest, tests): everything stays in memory. */
export function createMemoryLog(): MarketLog {
  const groups = new Map<string, LogTail>()
  const tailOf = (group: string): LogTail => {
    let tail = groups.get(group)
    if (!tail) {
      tail = new LogTail(group, Number.POSITIVE_INFINITY)
      groups.set(group, tail)
    }
    return tail
  }
  return {
    async fence(group, epoch, repeats) {
      tailOf(group).fence(epoch, repeats)
    },
    async append(group, epoch, events) {
      const tail = tailOf(group)
      const accepted = tail.accept(epoch, events)
      for (let at = 0; at < accepted.length; ) {
        const n = tail.room(accepted, at)
        if (n === 0) tail.seal()
        const run = accepted.slice(at, at + n)
        tail.push(run, run.map(eventText))
        at += n
      }
      tail.announce()
    },
    end: async (group) => tailOf(group).end(),
    raise: async (group, mseq) => tailOf(group).raise(mseq),
    async *read(group, fromMseq, signal) {
      const tail = tailOf(group)
      for (let next = fromMseq; !signal.aborted; ) {
        const batch = tail.batch(next)
        if (batch.length === 0) await tail.more(signal)
        else {
          next = batch.at(-1)!.mseq + 1
          yield batch
        }
      }
    },
    async carry(group, mseq) {
      const tail = tailOf(group)
      const { from, prev, carry } = tail.segmentAt(mseq) ?? tail.held[0]!
      return { from, prev, events: carry }
    },
    segments: async (group, from, to) => tailOf(group).heads(from, to),
    seal: async (group) => tailOf(group).seal(),
    pin: (group, id, mseq) => tailOf(group).pin(id, mseq),
    async retain(group, { beforeMts }) {
      const tail = tailOf(group)
      const before = tail.held.length
      const kept = tail.held.find((s) => !s.head || s.head.lastMts >= beforeMts || s.head.last >= tail.pinned)!
      tail.forget(kept.from)
      return { bytes: 0, dropped: before - tail.held.length, forSize: 0, first: tail.held[0]!.from }
    },
    disk: () => 'ok',
    giveUpReserve: () => false,
    recoverDisk: async () => 'ok',
    async close() {
      for (const tail of groups.values()) tail.announce()
    },
  }
}
