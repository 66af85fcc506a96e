import { SERVICES } from '@assay/core/contracts/services'
import { ConfigError, environment } from '@assay/core/kernel/config'
import { closeOnSignals, type Started, startPlatform } from '@assay/core/kernel/run'
import type { Service } from '@assay/core/kernel/service'
import { FolderLockedError } from '@assay/core/ports/db/lock'
import { services } from '@assay/services/all'
import { forgetInstance, recordInstance } from '../instance.ts'
import { nearest } from '../nearest.ts'
import { parseOptions, UsageError } from '../options.ts'

export const summary = '[--only=a,b] [--port=N]: starts the platform; Ctrl-C stops it'

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, { only: { type: 'string' }, port: { type: 'string' } })
  const chosen = chooseServices(values.only)
  const port = values.port === undefined ? undefined : parsePort(values.port)
  const failed = Promise.withResolvers<number>()
  try {
    const started = await startPlatform({
      services: chosen,
      env: environment(),
      port,
      onFatal: () => failed.resolve(1),
    })
    recordInstance(started.home, { pid: process.pid, url: started.url })
    const close = async () => {
      await started.close()
      forgetInstance(started.home)
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

/** A failure that its words explain; anything else keeps its stack. */
function startFailure(error: unknown, port: number | undefined): string | undefined {
  if (error instanceof ConfigError) return `the configuration stops the start\n${error.message}`
  if (error instanceof FolderLockedError) return error.message
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return `port ${port ?? 'of the configuration'} is taken: choose another one with --port=N (0: any free one)`
  }
  return undefined
}

function welcome({ url, home, notices }: Started): void {
  const lines = [
    '',
    `  Assay is up    ${url}`,
    `  data           ${home}`,
    ...notices.map((notice) => `  ${notice}`),
    '',
    '  Try next',
    `    ${url}/docs          every route, to read and to call`,
    `    curl ${url}/api/market/symbols`,
    '    ./assay demo         an assessment from the first order to its verdict and proof',
    '    ./assay doctor       machine, configuration, ports, stores',
    '',
    '  Ctrl-C stops it.',
    '',
  ]
  console.log(lines.join('\n'))
}
