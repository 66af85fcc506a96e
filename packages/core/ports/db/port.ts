import type { PrismaClient } from '../../../../prisma/generated/client.ts'

export type Param =
  | string
  | number
  | boolean
  | null
  | bigint
  | Date
  | Uint8Array
  | readonly (string | number | boolean | null | bigint)[]
export interface Statement {
  sql: string
  params?: readonly Param[]
}
export type Row = Record<string, unknown>

/** SQL with $1 parameters. numeric and int8 come back as strings, timestamptz as Date, jsonb parsed. Every call has a time-out. */
export interface Sql {
  query<T extends Row = Row>(sql: string, params?: readonly Param[]): Promise<T[]>
  /** any number of statements without parameters, separated by `;` (migrations) */
  script(sql: string): Promise<void>
}
/**
 * The platform's database. `as(role)` narrows a handle to one service's schema: role `trading` sees schema `trading`
 * (search_path) and the shared `bus` schema, and the server refuses the others.
 */
export interface Db extends Sql {
  /**
   * One transaction; rolls back when fn throws. On a server fn runs again, with back-off, after 40001, 40P01 and a
   * connection lost before the commit was sent: what it does beside its statements must bear that.
   */
  tx<T>(fn: (sql: Sql) => Promise<T>): Promise<T>
  /** statements in one transaction and one round trip to the adapter; rows of each */
  batch(statements: readonly Statement[]): Promise<Row[][]>
  as(role: string): Db
  /**
   * The same role as it acts for one tenant: every transaction runs as `<role>_tenant` with `assay.tenant` set, and row
   * security hides what is another tenant's from queries that forget their predicate. Of a role that has such a twin.
   */
  forTenant(tenant: string): Db
  /**
   * Calls `heard` after statements that name `table` (`bus.outbox`) were committed; returns the stop. A hint that saves
   * polling and does not replace it: of other processes' commits on a server only some tables' are told, and not always.
   */
  watch(table: string, heard: () => void): () => void
  /** plain CRUD; hot paths use SQL */
  readonly prisma: PrismaClient
  /** how many statements can run at once: 1 on PGlite */
  readonly connections: number
  readonly kind: 'pglite' | 'postgres'
  close(): Promise<void>
}
/** What adapters throw: `code` is the SQLSTATE; `retryable` for 40001, 40P01 and lost connections; `outcomeUnknown` when a commit's answer was lost. */
export class DbError extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly options: { constraint?: string; retryable?: boolean; outcomeUnknown?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.name = 'DbError'
  }
}
