import { PrismaPg } from '@prisma/adapter-pg'
import type { Pool, PoolClient } from 'pg'
import { PrismaClient } from '../../../../prisma/generated/client.ts'
import { connectionLost, ofPrisma, toDbError, withoutEffect } from './failure.ts'
import { Pipeline } from './pipeline.ts'
import { type Db, DbError, type Param, type Row, type Sql, type Statement } from './port.ts'
import { retried } from './retry.ts'
import { tenantRole } from './roles.ts'
import { Transaction } from './transaction.ts'
import { Watch } from './watch.ts'

/** A PostgreSQL to talk to: one pool per role; null is the owner of everything. */
export interface Server {
  kind: Db['kind']
  connections: number
  /** for the answer to one exchange */
  timeoutMs: number
  /** for a script's answer */
  scriptTimeoutMs: number
  /** how long what certainly had no effect is tried again; 0: never */
  retryMs: number
  /** does an exchange without BEGIN run as one transaction? PostgreSQL's does, CockroachDB's does not */
  exchangeIsTransaction: boolean
  pool(role: string | null): Pool
  /** hears of each commit's statements; other processes can be told */
  committed?(texts: readonly string[]): void
  close(): Promise<void>
}

/** Handles of tenants that are kept; the next ones are made anew. */
const TENANTS_KEPT = 1_000
const ENTER = `select set_config('role', $1, true), set_config('assay.tenant', $2, true)`

/** Db over `pg`, whatever carries its bytes: a socket, or the PGlite thread. */
export class PgDb implements Db {
  readonly kind: Db['kind']
  readonly connections: number
  private client: PrismaClient | undefined
  private readonly tenants = new Map<string, Db>()

  constructor(
    private readonly server: Server,
    private readonly role: string | null,
    private readonly watched = new Watch(),
    private readonly roles = new Map<string, Db>(),
    private readonly pool: Pool = server.pool(role),
    /** the role that it is narrowed of, and what each transaction begins with */
    private readonly narrowed?: { of: PgDb; enter: Statement },
  ) {
    this.kind = server.kind
    this.connections = server.connections
  }

  async query<T extends Row = Row>(sql: string, params?: readonly Param[]): Promise<T[]> {
    const [rows] = await this.batch([{ sql, params }])
    return rows as T[]
  }

  async batch(statements: readonly Statement[]): Promise<Row[][]> {
    if (statements.length === 0) return []
    const results = await this.retried(() => this.withClient((client) => this.atOnce(client, statements)))
    this.committed(statements.map(({ sql }) => sql))
    return results
  }

  async script(sql: string): Promise<void> {
    if (this.narrowed) return this.tx((inside) => inside.script(sql))
    await this.retried(() => this.withClient((client) => this.run(client, sql)))
    this.committed([sql])
  }

  tx<T>(fn: (sql: Sql) => Promise<T>): Promise<T> {
    return this.retried(() => this.withClient((client) => this.inTransaction(client, fn)))
  }

  as(role: string): Db {
    if (!/^[a-z][a-z_]*$/.test(role)) throw new DbError(`"${role}" is not a role's name.`, '42704')
    const known = this.roles.get(role)
    if (known) return known
    const db = new PgDb(this.server, role, this.watched, this.roles)
    this.roles.set(role, db)
    return db
  }

  forTenant(tenant: string): Db {
    if (this.role === null || this.narrowed) throw new DbError('Only a service acts for a tenant.', '42704')
    const known = this.tenants.get(tenant)
    if (known) return known
    const enter = { sql: ENTER, params: [tenantRole(this.role), tenant] }
    const db = new PgDb(this.server, this.role, this.watched, this.roles, this.pool, { of: this, enter })
    if (this.tenants.size >= TENANTS_KEPT) this.tenants.clear()
    this.tenants.set(tenant, db)
    return db
  }

  watch(table: string, heard: () => void): () => void {
    return this.watched.on(table, heard)
  }

  get prisma(): PrismaClient {
    if (this.narrowed) this.client ??= entering(this.narrowed.of.prisma, this.narrowed.enter)
    this.client ??= told(this.made())
    return this.client
  }

  private made(): PrismaClient {
    const adapter = new PrismaPg(this.pool, { schema: this.role ?? 'public' })
    const { timeoutMs } = this.server
    // it waits 2 s for a connection and 5 s for an end unless told, and there may be one connection for all
    return new PrismaClient({ adapter, transactionOptions: { maxWait: timeoutMs, timeout: timeoutMs } })
  }

  close(): Promise<void> {
    return this.server.close()
  }

  private committed(texts: readonly string[]): void {
    this.watched.committed(texts)
    this.server.committed?.(texts)
  }

  private retried<T>(attempt: () => Promise<T>): Promise<T> {
    return this.server.retryMs === 0 ? attempt() : retried(this.server.retryMs, attempt)
  }

  private async withClient<T>(fn: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect().catch((error) => {
      throw withoutEffect(error)
    })
    let lost: Error | undefined
    const onError = (error: Error) => {
      lost = error
    }
    client.on('error', onError)
    try {
      return await fn(client)
    } catch (error) {
      if (connectionLost(error)) lost = error
      throw error
    } finally {
      client.off('error', onError)
      client.release(lost)
    }
  }

  private async inTransaction<T>(client: PoolClient, fn: (sql: Sql) => Promise<T>): Promise<T> {
    const transaction = new Transaction(
      (statements) => this.send(client, statements),
      (sql) => this.run(client, sql),
      this.entry,
    )
    let value: T
    try {
      value = await fn(transaction)
      // the server would turn this COMMIT into a silent ROLLBACK
      if (transaction.failure !== undefined) throw transaction.failure
    } catch (error) {
      // a connection lost before COMMIT was sent: the server rolled back
      if (transaction.lost) throw error === transaction.failure ? withoutEffect(error) : error
      await transaction.rollback()
      throw error
    }
    await transaction.commit()
    this.committed(transaction.texts)
    return value
  }

  private get entry(): readonly Statement[] {
    return this.narrowed ? [this.narrowed.enter] : []
  }

  private async atOnce(client: PoolClient, asked: readonly Statement[]): Promise<Row[][]> {
    const { entry } = this
    const statements = [...entry, ...asked]
    if (this.server.exchangeIsTransaction || statements.length === 1)
      return (await this.send(client, statements)).slice(entry.length)
    try {
      const results = await this.send(client, [{ sql: 'begin' }, ...statements, { sql: 'commit' }])
      return results.slice(1 + entry.length, -1)
    } catch (error) {
      if (!connectionLost(error)) await this.send(client, [{ sql: 'rollback' }])
      throw error
    }
  }

  private async send(client: PoolClient, statements: readonly Statement[]): Promise<Row[][]> {
    let exchange: Pipeline | undefined
    try {
      return await inTime(
        this.server.timeoutMs,
        new Promise((resolve, reject) => {
          exchange = new Pipeline(statements, (error, results) => (error ? reject(error) : resolve(results)))
          client.query(exchange)
        }),
      )
    } catch (error) {
      throw exchange?.sent ? toDbError(error) : withoutEffect(error)
    }
  }

  private async run(client: PoolClient, sql: string): Promise<void> {
    await inTime(this.server.scriptTimeoutMs, client.query(sql)).catch((error) => {
      throw toDbError(error)
    })
  }
}

/** Fails as any other statement does. */
function told(prisma: PrismaClient): PrismaClient {
  const failed = (error: unknown) => Promise.reject(ofPrisma(error))
  return prisma.$extends({
    query: { $allOperations: ({ args, query }) => query(args).catch(failed) },
  }) as unknown as PrismaClient
}

/** Each operation of the client in a transaction that is entered first. */
function entering(prisma: PrismaClient, { sql, params = [] }: Statement): PrismaClient {
  return prisma.$extends({
    query: {
      async $allOperations({ args, query }) {
        const statements = [prisma.$queryRawUnsafe(sql, ...params), query(args) as never]
        const [, answer] = await prisma.$transaction(statements).catch((error) => {
          throw ofPrisma(error)
        })
        return answer
      },
    },
  }) as unknown as PrismaClient
}

async function inTime<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  let timer: Timer | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DbError(`No answer within ${timeoutMs} ms.`, '57014', { retryable: true, outcomeUnknown: true }))
    }, timeoutMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
