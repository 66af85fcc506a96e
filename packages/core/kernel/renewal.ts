import { X509Certificate } from 'node:crypto'
import { statSync } from 'node:fs'
import type { Logger } from 'pino'
import { Gauge, type Registry } from 'prom-client'
import type { Clock } from '../ports/clock/port.ts'
import type { Health } from './health.ts'
import type { Lifecycle } from './lifecycle.ts'

/** A certificate that this process shows, and where a newer one may come from. */
export interface Renewable {
  /** for people: `public`, `peers` */
  name: string
  files: readonly string[]
  /** the certificate as the files hold it now, PEM; throws when they can't be used (the other half may not be written yet) */
  read(): string
  /** new handshakes show what `read` found last */
  use(): void
}
export interface RenewalOptions {
  clock: Clock
  log: Pick<Logger, 'info' | 'warn'>
  metrics: Registry
  health: Pick<Health, 'addSource'>
  lifecycle: Pick<Lifecycle, 'background'>
}
/** The files are looked at this often. */
const LOOK_EVERY_MS = 5_000
const DAY_MS = 86_400_000
/** `/health` warns when less than this part of its life is left. */
const WARN_PART = 1 / 8

/** Takes renewed certificates from their files while the process runs, and says in time when none came. */
export function renewCertificates(
  all: readonly Renewable[],
  { clock, log, metrics, health, lifecycle }: RenewalOptions,
): void {
  if (all.length === 0) return
  const shown = new Map(all.map((one) => [one.name, new X509Certificate(one.read())]))
  const seen = new Map(all.map((one) => [one.name, signature(one.files)]))
  const daysLeft = ({ validTo }: X509Certificate) => (Date.parse(validTo) - clock.now()) / DAY_MS

  function look(one: Renewable): void {
    const now = signature(one.files)
    if (now === seen.get(one.name)) return
    try {
      const certificate = new X509Certificate(one.read())
      one.use()
      shown.set(one.name, certificate)
      seen.set(one.name, now)
      log.info({ certificate: one.name, until: certificate.validTo }, 'a renewed certificate is shown from now on')
    } catch (err) {
      log.warn({ err, certificate: one.name }, 'the renewed certificate cannot be used yet: the one before goes on')
    }
  }

  lifecycle.background('certificates', async (signal) => {
    while (!signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {})
      if (!signal.aborted) for (const one of all) look(one)
    }
  })
  new Gauge({
    name: 'certificate_days_left',
    help: 'Until the certificate that is shown ends',
    labelNames: ['certificate'],
    registers: [metrics],
    collect() {
      for (const [name, certificate] of shown) this.set({ certificate: name }, daysLeft(certificate))
    },
  })
  health.addSource(() => ({
    degraded: [...shown].flatMap(([name, certificate]) => {
      const left = daysLeft(certificate)
      if (left <= 0) return [`certificate ${name}: ended at ${certificate.validTo}`]
      const life = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / DAY_MS
      return left < life * WARN_PART ? [`certificate ${name}: ends at ${certificate.validTo}, no newer one came`] : []
    }),
  }))
}

/** Changes when one of them is written or replaced, also behind a link; a missing one is a state of its own. */
const signature = (files: readonly string[]): string =>
  files
    .map((file) => {
      const found = statSync(file, { throwIfNoEntry: false })
      return found ? `${found.ino} ${found.mtimeMs} ${found.size}` : 'none'
    })
    .join()
