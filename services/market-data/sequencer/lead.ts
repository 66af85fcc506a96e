import type { Clock } from '@assay/core/ports/clock/port'
import { type Db, DbError } from '@assay/core/ports/db/port'
import { DiskFullError, FencedError, type MarketLog } from '@assay/core/ports/marketlog/port'
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
  /** what a leader does, under its fenced epoch; its end before the signal aborts is the end of the work */
  run: (epoch: number, signal: AbortSignal) => Promise<void>
}

/** Waits for the group's leadership, leads, and waits again when it is lost; ends with the signal or when the work has ended. */
export async function keepLeading(options: LeadOptions, signal: AbortSignal): Promise<void> {
  const { marketlog, clock, group, log } = options
  while (!signal.aborted) {
    const end = await marketlog.end(group)
    const lease = await take(options, end?.epoch ?? 0)
    if (!lease) {
      await clock.sleep(RENEW_MS, signal).catch(() => {})
      continue
    }
    log.info({ group, epoch: lease.epoch, mseq: end?.mseq ?? 0 }, 'market log: leading')
    if ((await lead(options, lease, signal)) === 'ended') return
    log.warn({ group, epoch: lease.epoch }, 'market log: leadership lost')
  }
}

/** Null while another one leads or the database does not answer. */
async function take({ db, group, holder, log }: LeadOptions, above: number): Promise<Lease | null> {
  try {
    return await takeLease({ db, group, holder, above, alone: db.kind === 'pglite' })
  } catch (err) {
    if (!(err instanceof DbError && err.options.retryable)) throw err
    log.warn({ group, err }, 'market log: the lease could not be asked for')
    return null
  }
}

async function lead(options: LeadOptions, lease: Lease, signal: AbortSignal): Promise<'ended' | 'lost'> {
  const { marketlog, clock, group, repeats, run } = options
  const lost = new AbortController()
  const stop = AbortSignal.any([signal, lost.signal])
  const renewing = renew(lease, clock, stop).then(() => lost.abort(new FencedError('the lease was lost')))
  try {
    await marketlog.fence(group, lease.epoch, repeats)
    await run(lease.epoch, stop)
    // a run that was told to stop has not ended its work
    return lost.signal.aborted && !signal.aborted ? 'lost' : 'ended'
  } catch (error) {
    if (signal.aborted) return 'ended'
    if (error instanceof DiskFullError) await waitForSpace(options, stop)
    else if (!lost.signal.aborted && !(error instanceof FencedError)) throw error
    return 'lost'
  } finally {
    lost.abort()
    await renewing
    await lease.release().catch(() => {})
  }
}

/** Not even a fence can be written. */
async function waitForSpace({ marketlog, clock, group, log }: LeadOptions, signal: AbortSignal): Promise<void> {
  log.warn({ group }, 'market log: nobody can lead, the disk is full')
  do await clock.sleep(RENEW_MS, signal).catch(() => {})
  while (!signal.aborted && (await marketlog.recoverDisk()) === 'full')
}

/** Resolves when the lease is lost or the signal aborts. */
async function renew(lease: Lease, clock: Clock, signal: AbortSignal): Promise<void> {
  let renewedAt = clock.monotonic()
  while (!signal.aborted) {
    await clock.sleep(RENEW_MS, signal).catch(() => {})
    if (signal.aborted) return
    const asked = clock.monotonic()
    const left = Math.max(renewedAt + SILENT_MS - asked, RENEW_MS)
    const held = await inTime(lease.renew(), (timer) => clock.sleep(left, AbortSignal.any([signal, timer])))
    if (held === false) return
    if (held) renewedAt = asked
    else if (clock.monotonic() - renewedAt >= SILENT_MS) return
  }
}

/** Null: it failed, or gave no answer in time. */
async function inTime(answer: Promise<boolean>, time: (timer: AbortSignal) => Promise<void>): Promise<boolean | null> {
  const timer = new AbortController()
  const failed = () => null
  try {
    return await Promise.race([answer.catch(failed), time(timer.signal).then(failed, failed)])
  } finally {
    timer.abort()
  }
}
