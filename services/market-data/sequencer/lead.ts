import type { Clock } from '@assay/core/ports/clock/port'
import type { Db } from '@assay/core/ports/db/port'
import { FencedError, type MarketLog } from '@assay/core/ports/marketlog/port'
import { type Lease, takeLease } from './lease.ts'

const RENEW_MS = 1000
/** by its own clock a leader that could not renew for so long stops, before the lease ends for others */
const SILENT_MS = 4000

export interface LeadOptions {
  db: Db
  marketlog: MarketLog
  clock: Clock
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void }
  group: string
  holder: string
  /** its events are a function of their input: lost ones come again */
  repeats: boolean
  /** what a leader does, under its fenced epoch, until the signal aborts */
  run: (epoch: number, signal: AbortSignal) => Promise<void>
}

/** Waits for the group's leadership, leads, and waits again when it is lost; ends with the signal or when `run` ends. */
export async function keepLeading(options: LeadOptions, signal: AbortSignal): Promise<void> {
  const { db, marketlog, clock, group, holder, log } = options
  while (!signal.aborted) {
    const end = await marketlog.end(group)
    const lease = await takeLease({ db, group, holder, above: end?.epoch ?? 0, alone: db.kind === 'pglite' })
    if (!lease) {
      await clock.sleep(RENEW_MS, signal).catch(() => {})
      continue
    }
    log.info({ group, epoch: lease.epoch, mseq: end?.mseq ?? 0 }, 'market log: leading')
    if (await lead(options, lease, signal)) return
    log.warn({ group, epoch: lease.epoch }, 'market log: leadership lost')
  }
}

/** True when the work has ended, false when the leadership was lost. */
async function lead(
  { marketlog, clock, group, repeats, run }: LeadOptions,
  lease: Lease,
  signal: AbortSignal,
): Promise<boolean> {
  const lost = new AbortController()
  const stop = AbortSignal.any([signal, lost.signal])
  const renewing = renew(lease, clock, stop).then(() => lost.abort(new FencedError('the lease was lost')))
  try {
    await marketlog.fence(group, lease.epoch, repeats)
    await run(lease.epoch, stop)
    return true
  } catch (error) {
    if (signal.aborted) return true
    if (!lost.signal.aborted && !(error instanceof FencedError)) throw error
    return false
  } finally {
    lost.abort()
    await renewing
    await lease.release().catch(() => {})
  }
}

/** Resolves when the lease is lost or the signal aborts. */
async function renew(lease: Lease, clock: Clock, signal: AbortSignal): Promise<void> {
  let renewedAt = clock.monotonic()
  while (!signal.aborted) {
    await clock.sleep(RENEW_MS, signal).catch(() => {})
    if (signal.aborted) return
    const asked = clock.monotonic()
    const held = await lease.renew().catch(() => null)
    if (held === false) return
    if (held) renewedAt = asked
    else if (clock.monotonic() - renewedAt > SILENT_MS) return
  }
}
