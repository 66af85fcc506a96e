import { PrismaPg } from '@prisma/adapter-pg'
import type { Pool, PoolClient } from 'pg'
import { PrismaClient } from '../../../../prisma/generated/client.ts'
import { connectionLost, toDbError } from './failure.ts'
import { Pipeline } from './pipeline.ts'
import { type Db, DbError, type Param, type Row, type Sql, type Statement } from './port.ts'
import { Transaction } from './transaction.ts'
import { Watch } from './watch.ts'

/** A PostgreSQL to talk to: one pool per role; null is the owner of everything. */
export interface Server {
  kind: Db['kind']
  connections: number
  timeoutMs: number
  pool(role: string | null): Pool
  close(): Promise<void>
}

/** Db over `pg`, whatever carries its bytes: a socket, or the PGlite thread. */
export class PgDb implements Db {
  readonly kind: Db['kind']
  readonly connections: number
  private readonly pool: Pool
  private client: PrismaClient | undefined

  constructor(
    private readonly server: Server,
    private readonly role: string | null,
    private readonly roles = new Map<string, Db>(),
    private readonly watched = new Watch(),
  ) {
    this.kind = server.kind
    this.connections = server.connections
    this.pool = server.pool(role)
  }

  async query<T extends Row = Row>(sql: string, params?: readonly Param[]): Promise<T[]> {
    const [rows] = await this.batch([{ sql, params }])
    return rows as T[]
  }

  async batch(statements: readonly Statement[]): Promise<Row[][]> {
    if (statements.length === 0) return []
    const results = await this.withClient((client) => this.send(client, statements))
    this.watched.committed(statements.map(({ sql }) => sql))
    return results
  }

  async script(sql: string): Promise<void> {
    await this.withClient((client) => this.run(client, sql))
    this.watched.committed([sql])
  }

  tx<T>(fn: (sql: Sql) => Promise<T>): Promise<T> {
    return this.withClient(async (client) => {
      const transaction = new Transaction(
        (statements) => this.send(client, statements),
        (sql) => this.run(client, sql),
      )
      try {
        const value = await fn(transaction)
        await transaction.commit()
        this.watched.committed(transaction.texts)
        return value
      } catch (error) {
        if (!connectionLost(error)) await transaction.rollback()
        throw error
      }
    })
  }

  as(role: string): Db {
    if (!/^[a-z][a-z_]*$/.test(role)) throw new DbError(`"${role}" is not a role's name.`, '42704')
    const known = this.roles.get(role)
    if (known) return known
    const db = new PgDb(this.server, role, this.roles, this.watched)
    this.roles.set(role, db)
    return db
  }

  watch(table: string, heard: () => void): () => void {
    return this.watched.on(table, heard)
  }

  get prisma(): PrismaClient {
    this.client ??= new PrismaClient({ adapter: new PrismaPg(this.pool, { schema: this.role ?? 'public' }) })
    return this.client
  }

  close(): Promise<void> {
    return this.server.close()
  }

  private async withClient<T>(fn: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect().catch((error) => {
      throw toDbError(error)
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

  private send(client: PoolClient, statements: readonly Statement[]): Promise<Row[][]> {
    return this.inTime(
      new Promise((resolve, reject) => {
        client.query(new Pipeline(statements, (error, results) => (error ? reject(error) : resolve(results))))
      }),
    )
  }

  private async run(client: PoolClient, sql: string): Promise<void> {
    await this.inTime(client.query(sql))
  }

  private async inTime<T>(answer: Promise<T>): Promise<T> {
    const { timeoutMs } = this.server
    let timer: Timer | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new DbError(`No answer within ${timeoutMs} ms.`, '57014', { outcomeUnknown: true }))
      }, timeoutMs)
    })
    try {
      return await Promise.race([answer, late])
    } catch (error) {
      throw toDbError(error)
    } finally {
      clearTimeout(timer)
    }
  }
}
