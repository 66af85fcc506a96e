import type { Deps } from '@assay/core/kernel/service'
import { Counter } from 'prom-client'
import type { GatewayDeps } from '../deps.ts'
import { type LetterOutcome, sendLetters } from './send-letters.ts'

/** What other processes queued, and what is to be tried again, is found at this pace; what this one commits is sent at once. */
const LOOK_EVERY_MS = 5_000

/** Sends what the verbs queue, in the background, until the signal: `lifecycle.background`. */
export function createPostOffice(
  { db, clock, log, metrics, mail }: Pick<Deps, 'db' | 'clock' | 'log' | 'metrics' | 'mail'>,
  identity: Pick<GatewayDeps, 'database' | 'clock' | 'sealing'>,
  base: string,
): (signal: AbortSignal) => Promise<void> {
  const letters = new Counter({
    name: 'letters_total',
    help: 'Mail by kind and how its sending ended',
    labelNames: ['kind', 'outcome'],
    registers: [metrics],
  })
  const onOutcome = (kind: string, outcome: LetterOutcome, error?: unknown): void => {
    letters.inc({ kind, outcome })
    if (outcome === 'sent' || outcome === 'nobody') return
    log.warn({ kind, outcome, ...(error instanceof Error && { reason: error.message }) }, 'a letter was not sent')
  }

  return async (signal) => {
    let wake = () => {}
    let asked = true
    const unwatch = db.watch('gateway.letters', () => {
      asked = true
      wake()
    })
    const stopped = () => wake()
    signal.addEventListener('abort', stopped, { once: true })
    while (!signal.aborted) {
      if (!asked) await pause((stop) => (wake = stop))
      asked = false
      if (signal.aborted) break
      await sendLetters({ deps: identity, mail, base, onOutcome }).catch((err) =>
        log.error({ err }, 'letters could not be looked for'),
      )
    }
    unwatch()
  }

  /** Until somebody queues a letter or the time is over. */
  async function pause(waker: (stop: () => void) => void): Promise<void> {
    const over = new AbortController()
    waker(() => over.abort())
    await clock.sleep(LOOK_EVERY_MS, over.signal).catch(() => {})
  }
}
