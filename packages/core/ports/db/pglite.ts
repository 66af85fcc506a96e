import { join } from 'node:path'
import pg from 'pg'
import type { Logger } from 'pino'
import { clusterExists, createCluster } from './cluster.ts'
import { lockFolder } from './lock.ts'
import { PgDb } from './pg-db.ts'
import { PgliteThread } from './pglite-thread.ts'
import type { Db } from './port.ts'

export interface PgliteOptions {
  /** data folder of the platform: locked here, the database is its `pg` */
  home: string
  log: Pick<Logger, 'info' | 'error'>
  /** a folder to copy a new database from, where it exists (template.ts) */
  template?: string
  /** per call; 30 s */
  timeoutMs?: number
}

/** One session: nothing can conflict, and a thread that failed does not come back. */
const EMBEDDED = { kind: 'pglite', connections: 1, retryMs: 0, exchangeIsTransaction: true } as const

/** PostgreSQL in this process. FolderLockedError when another process has the folder. */
export async function openPglite({ home, log, template, timeoutMs = 30_000 }: PgliteOptions): Promise<Db> {
  const unlock = lockFolder(home)
  try {
    const folder = join(home, 'pg')
    if (!clusterExists(folder)) {
      log.info({ folder }, 'making a new database')
      await createCluster(folder, template)
    }
    const thread = await PgliteThread.open(folder, (error) => log.error({ err: error }, 'the database thread failed'))
    const pools: pg.Pool[] = []
    const pool = (role: string | null) => {
      const opened = openPool(thread, role, timeoutMs)
      opened.on('error', (error) => log.error({ err: error, role }, 'database connection lost'))
      pools.push(opened)
      return opened
    }
    let closing: Promise<void> | undefined
    const end = async () => {
      await Promise.all(pools.map((opened) => opened.end()))
      await thread.close()
      unlock()
    }
    const close = () => {
      closing ??= end()
      return closing
    }
    return new PgDb({ ...EMBEDDED, timeoutMs, scriptTimeoutMs: timeoutMs, pool, close }, null)
  } catch (error) {
    unlock()
    throw error
  }
}

function openPool(thread: PgliteThread, role: string | null, timeoutMs: number): pg.Pool {
  return new pg.Pool({
    // statements run one at a time; with two connections the next one already waits in the thread
    max: 2,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: timeoutMs,
    // the thread serves one folder as one user
    host: 'pglite',
    user: 'postgres',
    database: 'postgres',
    password: '',
    stream: () => thread.socket(role),
  })
}
