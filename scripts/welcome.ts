import { ConfigError } from '@assay/core/kernel/config'
import { MovedError } from '@assay/core/kernel/moved'
import type { Started } from '@assay/core/kernel/run'
import { FolderLockedError } from '@assay/core/ports/db/lock'
import { MigrationError } from '@assay/core/ports/db/migrate'
import { KafkaUnreachableError } from '@assay/core/ports/kafka/reach'

/** Their words say what to do. */
const KNOWN = [FolderLockedError, MigrationError, MovedError, KafkaUnreachableError]

/** A failure that its words explain; anything else keeps its stack. */
export function startFailure(error: unknown, port: number | undefined): string | undefined {
  if (error instanceof ConfigError) return `the configuration stops the start\n${error.message}`
  if (KNOWN.some((kind) => error instanceof kind)) return (error as Error).message
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return `port ${port ?? 'of the configuration'} is taken: choose another one with --port=N (0: any free one)`
  }
  return undefined
}

export function welcome({ url, home, notices }: Pick<Started, 'url' | 'home' | 'notices'>): void {
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
