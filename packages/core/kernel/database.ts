import type { Logger } from 'pino'
import type { CredentialSource } from '../ports/db/credentials.ts'
import { openPglite } from '../ports/db/pglite.ts'
import type { Db } from '../ports/db/port.ts'
import { openPostgres } from '../ports/db/postgres.ts'
import { templatePath } from '../ports/db/template.ts'

export interface DatabaseConfig {
  ASSAY_HOME: string
  DATABASE_URL?: string | undefined
  DATABASE_POOL_SIZE: number
}

type DatabaseLog = Pick<Logger, 'info' | 'warn' | 'error'>
export interface DatabaseOptions {
  /** logins that change; by default the URL's own */
  credentials?: CredentialSource | undefined
  /** per statement; the adapter's own by default */
  timeoutMs?: number
}

/** The database that the configuration names: the server of DATABASE_URL, else PGlite in the data folder, which it locks. */
export function openDatabase(config: DatabaseConfig, log: DatabaseLog, options: DatabaseOptions = {}): Promise<Db> {
  const { ASSAY_HOME: home, DATABASE_URL: url, DATABASE_POOL_SIZE: connections } = config
  const { credentials, timeoutMs } = options
  const more = timeoutMs === undefined ? {} : { timeoutMs }
  if (!url) return openPglite({ home, log, template: templatePath(), ...more })
  return openPostgres({ url, log, connections, ...more, ...(credentials ? { credentials } : {}) })
}
