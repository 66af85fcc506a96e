import { join } from 'node:path'
import type { Environment } from '@assay/core/kernel/config'
import { openLocalCa, writeCredentials } from '@assay/core/kernel/local-ca'
import { lockFolder } from '@assay/core/ports/db/lock'
import { type Planned, planProcesses, STOP_ORDER } from './plan.ts'
import { takenPorts } from './plan-ports.ts'
import { prepareLogins, prepareStores } from './prepare.ts'
import { forgetProcesses, recordProcesses } from './processes.ts'
import { reachServers } from './reach-servers.ts'
import { type Supervised, supervise } from './supervised.ts'

export interface DistributedOptions {
  home: string
  env: Environment
  replicas: Readonly<Record<string, number>>
  basePort: number
  /** where the services' logins at the secrets server are kept */
  logins: string
  say: (line: string) => void
}
export interface Distributed {
  /** the gateway's public address */
  url: string
  /** resolves with the notices of all when every process is ready; after a failure the rest still runs until `close` */
  start(): Promise<string[]>
  /** in order; may come at any time */
  close(): Promise<void>
}
const DAY_MS = 86_400_000
const CERTIFICATE_MS = 7 * DAY_MS
const RENEW_EVERY_MS = 3 * DAY_MS

/** One process for every service and replica, each watched and started again, with certificates of a CA of the data folder. */
export async function openDistributed(options: DistributedOptions): Promise<Distributed> {
  const { home, env, say } = options
  const unlock = lockFolder(home)
  const plan = planProcesses(options)
  const folder = join(home, 'certificates')
  const ca = await openLocalCa(folder)
  let loginOf: (service: string) => Record<string, string> = () => ({})
  const newCertificate = async ({ instance, service }: Planned) =>
    writeCredentials(folder, instance, await ca.issue(service, CERTIFICATE_MS))
  const processes: Supervised[] = plan.map((planned) =>
    supervise({
      planned,
      credentials: async () => ({ ...(await newCertificate(planned)), ...loginOf(planned.service) }),
      logs: join(home, 'logs'),
      say,
      changed: () => recordProcesses(home, processes.map(recordOf)),
    }),
  )
  const of = (wave: readonly string[]) => processes.filter(({ planned }) => wave.includes(planned.service))
  // each takes it from its files while it runs
  const renewing = setInterval(() => {
    say('certificates are renewed')
    for (const planned of plan)
      newCertificate(planned).catch((error: Error) => say(`${planned.instance}: ${error.message}`))
  }, RENEW_EVERY_MS)
  let closing: Promise<void> | undefined

  async function closeAll(): Promise<void> {
    clearInterval(renewing)
    for (const wave of STOP_ORDER) await Promise.all(of(wave).map((one) => one.stop()))
    forgetProcesses(home)
    unlock()
  }
  return {
    url: publicUrl(plan),
    async start() {
      const taken = await takenPorts(plan)
      if (taken.length > 0) throw new StartFailed(`${taken.join('\n')}\nchoose other ports with --port=N`)
      await reachServers(env)
      await prepareStores(env, say)
      loginOf = await prepareLogins(env, options.logins, say)
      const notices: string[] = []
      for (const wave of STOP_ORDER.toReversed()) {
        if (!closing) notices.push(...(await settled(of(wave))))
      }
      return notices
    },
    close: () => (closing ??= closeAll()),
  }
}

/** Notices of all, once; the first failure when the others have come to an end too. */
async function settled(starting: readonly Supervised[]): Promise<string[]> {
  const results = await Promise.allSettled(starting.map((one) => one.start()))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw new StartFailed((failed.reason as Error).message)
  return [...new Set(results.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])))]
}
/** A process could not start; its last words say why. */
export class StartFailed extends Error {}

const publicUrl = (plan: readonly Planned[]): string =>
  `http://127.0.0.1:${plan.find(({ service }) => service === 'gateway')!.env.PORT}`

const recordOf = ({ planned, pid, url, restarts }: Supervised) => ({
  instance: planned.instance,
  service: planned.service,
  pid,
  url: planned.url,
  ready: url !== undefined,
  restarts,
})
