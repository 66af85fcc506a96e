import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { migrate } from '@assay/core/ports/db/migrate'
import type { Db } from '@assay/core/ports/db/port'
import { openPostgres } from '@assay/core/ports/db/postgres'
import { type Postgres, startPostgres } from '../../scripts/stack/servers/postgres.ts'
import { run } from '../peers/process.ts'

const quiet = { info: () => {}, warn: () => {}, error: console.error }
/** Both sides on one server with memory for pgbench's tables; commits wait for the disk. */
const SETTINGS = { shared_buffers: '1GB', max_wal_size: '8GB', synchronous_commit: 'on', fsync: 'on' }
const SCALE = 50
const CLIENTS = 8
const MAKING_MS = 900_000

export interface BenchServer {
  version: string
  server: Postgres
  /** a database of its own on it, migrated where asked; without TLS unless the query says otherwise */
  database(name: string, options?: { query?: string; migrated?: boolean }): Promise<{ url: string; db: Db }>
  close(): Promise<void>
}

export async function benchServer({ tls = false } = {}): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-pg-'))
  // the user of PostgreSQL passes through it
  await chmod(folder, 0o711)
  const server = await startPostgres({ folder, tls, settings: SETTINGS })
  const urlOf = (name: string, query: string) => {
    const url = new URL(server.env.DATABASE_URL!)
    url.pathname = `/${name}`
    url.search = query
    return url.href
  }
  const opened: Db[] = []
  const open = async (url: string) => {
    const db = await openPostgres({ url, log: quiet, announced: [] })
    opened.push(db)
    return db
  }
  const admin = await open(urlOf('assay', 'sslmode=disable'))
  return {
    version: server.version,
    server,
    async database(name, { query = 'sslmode=disable', migrated = true } = {}) {
      await admin.query(`create database "${name}"`)
      const url = urlOf(name, query)
      const db = await open(url)
      if (migrated) await migrate(db)
      return { url, db }
    },
    async close() {
      for (const db of opened) await db.close()
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export interface Pgbench {
  name: string
  /** transactions/s of its TPC-B-like script */
  tps(ms: number): Promise<number>
}

/** PostgreSQL's own load on a database of its own: `pgbench -s 50 -M prepared -c 8`, over TCP without TLS. */
export async function pgbench(bench: BenchServer): Promise<Pgbench> {
  const beside = join(dirname(realpathSync(join(bench.server.programs, 'postgres'))), 'pgbench')
  const program = existsSync(beside) ? beside : Bun.which('pgbench')
  if (!program) throw new Error(`${beside} is missing: install Debian's postgresql, which has pgbench`)
  const { url } = await bench.database('pgbench', { migrated: false })
  await run([program, '-i', '-q', '-s', String(SCALE), url], MAKING_MS)
  return {
    name: `pgbench ${bench.version} -s ${SCALE} -M prepared -c ${CLIENTS}, no TLS`,
    async tps(ms) {
      const seconds = String(Math.max(1, Math.round(ms / 1000)))
      const load = ['-n', '-M', 'prepared', '-c', String(CLIENTS), '-j', '2', '-T', seconds]
      const child = Bun.spawn([program, ...load, url], { stdout: 'pipe', stderr: 'pipe', timeout: ms + 60_000 })
      const said = await new Response(child.stdout).text()
      if ((await child.exited) !== 0) throw new Error(`pgbench: ${await new Response(child.stderr).text()}`)
      return Number(/tps = ([\d.]+) \(without/.exec(said)?.[1])
    },
  }
}
