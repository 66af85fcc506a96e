import { SERVICES } from '@assay/core/contracts/services'
import { environment } from '@assay/core/kernel/config'
import { closeOnSignals, startPlatform } from '@assay/core/kernel/run'
import type { Service } from '@assay/core/kernel/service'
import { services } from '@assay/services/all'
import { forgetInstance, recordInstance } from '../instance.ts'
import { nearest } from '../nearest.ts'
import { parseOptions, UsageError } from '../options.ts'
import { upDistributed } from '../supervise/up-distributed.ts'
import { startFailure, welcome } from '../welcome.ts'

export const summary =
  '[--only=a,b] [--port=N] | --distributed [--replicas=trading=3,…] [--port=N]: starts the platform; Ctrl-C stops it'

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, {
    only: { type: 'string' },
    port: { type: 'string' },
    distributed: { type: 'boolean', default: false },
    replicas: { type: 'string' },
  })
  const chosen = chooseServices(values.only)
  const port = values.port === undefined ? undefined : parsePort(values.port)
  if (values.replicas !== undefined && !values.distributed) throw new UsageError('--replicas goes with --distributed')
  if (values.distributed && values.only !== undefined) throw new UsageError('--only does not go with --distributed')
  if (values.distributed) return upDistributed({ replicas: values.replicas, basePort: port })
  const failed = Promise.withResolvers<number>()
  try {
    const started = await startPlatform({
      services: chosen,
      env: environment(),
      port,
      onFatal: () => failed.resolve(1),
    })
    // one of several processes on this folder is not the platform
    const isWhole = !environment().ASSAY_PEERS
    if (isWhole) recordInstance(started.home, { pid: process.pid, url: started.url })
    const close = async () => {
      await started.close()
      if (isWhole) forgetInstance(started.home)
    }
    closeOnSignals(close)
    welcome(started)
    const code = await failed.promise
    await close()
    return code
  } catch (error) {
    const reason = startFailure(error, port)
    if (!reason) throw error
    console.error(`assay up: ${reason}`)
    return 1
  }
}

function chooseServices(only: string | undefined): readonly Service[] {
  if (only === undefined) return services
  const names = only.split(',').filter(Boolean)
  const known = services.map(({ name }) => name)
  for (const name of names) {
    if (known.includes(name)) continue
    const meant = nearest(name, known)
    throw new UsageError(
      `no service ${name}${meant ? `; did you mean ${meant}?` : ''} (${SERVICES.map((entry) => entry.name).join(', ')})`,
    )
  }
  if (names.length === 0) throw new UsageError('--only needs at least one service')
  return services.filter(({ name }) => names.includes(name))
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new UsageError(`--port=${text} is no port`)
  return port
}
