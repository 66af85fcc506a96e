import { AsyncLocalStorage } from 'node:async_hooks'
import type { Db, Param, Row, Sql } from '@assay/core/ports/db/port'
import { type CleanedWhere, createAdapterFactory, type DBAdapter, type DBAdapterInstance } from 'better-auth/adapters'

export interface AuthDatabase {
  query: Sql['query']
  /** better-auth's `database` option */
  adapter: DBAdapterInstance
  /** One transaction for everything inside `fn`: what better-auth does in it and what is queried beside it. */
  inTransaction<T>(fn: (sql: Sql) => Promise<T>): Promise<T>
}

/**
 * better-auth on the db port. Inside `inTransaction` its statements go to that transaction, so that a user, a session
 * and their outbox rows commit together; on PGlite a statement beside it would wait for the only connection for ever.
 */
export function createAuthDatabase(db: Db): AuthDatabase {
  const transaction = new AsyncLocalStorage<Sql>()
  const query = <T extends Row>(sql: string, params?: readonly Param[]): Promise<T[]> =>
    (transaction.getStore() ?? db).query<T>(sql, params)
  const inTransaction = <T>(fn: (sql: Sql) => Promise<T>): Promise<T> => {
    const outer = transaction.getStore()
    return outer ? fn(outer) : db.tx((sql) => transaction.run(sql, () => fn(sql)))
  }

  let opened: DBAdapter
  const factory = createAdapterFactory({
    config: {
      adapterId: 'assay-db',
      supportsJSON: true,
      supportsArrays: true,
      transaction: (fn) => inTransaction(() => fn(opened)),
    },
    adapter: () => ({
      async create({ model, data }) {
        const columns = Object.keys(data)
        const values = columns.map((_, i) => `$${i + 1}`)
        const sql = `insert into ${name(model)} (${columns.map(name).join(', ')}) values (${values.join(', ')}) returning *`
        return (await query(sql, Object.values(data)))[0] as typeof data
      },
      async findOne<T>({ model, where }: { model: string; where: CleanedWhere[] }) {
        const params: Param[] = []
        const rows = await query(`select * from ${name(model)}${whereSql(where, params)} limit 1`, params)
        return (rows[0] as T | undefined) ?? null
      },
      async findMany({ model, where, limit, sortBy, offset }) {
        const params: Param[] = []
        let sql = `select * from ${name(model)}${whereSql(where, params)}`
        if (sortBy) sql += ` order by ${name(sortBy.field)} ${sortBy.direction === 'desc' ? 'desc' : 'asc'}`
        sql += ` limit ${parameter(params, limit)} offset ${parameter(params, offset ?? 0)}`
        return (await query(sql, params)) as never
      },
      async count({ model, where }) {
        const params: Param[] = []
        const rows = await query(`select count(*)::int as n from ${name(model)}${whereSql(where, params)}`, params)
        return rows[0]!.n as number
      },
      async update<T>({ model, where, update }: { model: string; where: CleanedWhere[]; update: T }) {
        return ((await change(model, where, update as Row))[0] as T | undefined) ?? null
      },
      updateMany: async ({ model, where, update }) => (await change(model, where, update)).length,
      delete: async ({ model, where }) => void (await remove(model, where)),
      deleteMany: async ({ model, where }) => (await remove(model, where)).length,
    }),
  })
  const adapter: DBAdapterInstance = (options) => {
    opened = factory(options)
    return opened
  }
  return { adapter, query, inTransaction }

  function change(model: string, where: CleanedWhere[], update: Row): Promise<Row[]> {
    const params: Param[] = []
    const sets = Object.entries(update).map(([field, value]) => `${name(field)} = ${parameter(params, value)}`)
    return query(`update ${name(model)} set ${sets.join(', ')}${whereSql(where, params)} returning *`, params)
  }

  function remove(model: string, where: CleanedWhere[]): Promise<Row[]> {
    const params: Param[] = []
    return query(`delete from ${name(model)}${whereSql(where, params)} returning 1`, params)
  }
}

const OPERATORS: Partial<Record<CleanedWhere['operator'], string>> = {
  eq: '=',
  ne: '<>',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
}

function whereSql(where: readonly CleanedWhere[] | undefined, params: Param[]): string {
  if (!where?.length) return ''
  return where.reduce(
    (sql, clause, i) => `${sql}${i === 0 ? '' : ` ${clause.connector}`} ${condition(clause, params)}`,
    ' where',
  )
}

function condition({ field, operator, value, mode }: CleanedWhere, params: Param[]): string {
  const column = name(field)
  if (value === null) return `${column} is ${operator === 'ne' ? 'not ' : ''}null`
  if (mode === 'insensitive') throw new Error(`${field}: e-mails are stored in lower case, nothing else is compared so`)
  if (operator === 'in') return `${column} = any(${parameter(params, value)})`
  const sign = OPERATORS[operator]
  if (!sign) throw new Error(`the operator ${operator} is not used by the parts of better-auth that run here`)
  return `${column} ${sign} ${parameter(params, value)}`
}

function parameter(params: Param[], value: unknown): string {
  params.push(value as Param)
  return `$${params.length}`
}

function name(identifier: string): string {
  if (!/^[a-z][a-z0-9_]*$/.test(identifier)) throw new Error(`${identifier} is not a column or table of ours`)
  return `"${identifier}"`
}
