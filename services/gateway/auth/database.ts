import { AsyncLocalStorage } from 'node:async_hooks'
import { isHouse } from '@assay/core/contracts/scopes'
import type { Actor } from '@assay/core/kernel/context'
import type { Db, Param, Row, Sql } from '@assay/core/ports/db/port'
import { type CleanedWhere, createAdapterFactory, type DBAdapter, type DBAdapterInstance } from 'better-auth/adapters'
import { PERSONAL_COLUMNS, type PersonalColumn, type PersonalFields } from '../privacy/personal-fields.ts'

export interface AuthDatabase {
  /** personal fields of users come back opened, here and in a transaction; they are written as `seal` makes them */
  query: Sql['query']
  /**
   * Reads of what this caller may be shown: row security hides other tenants' rows, except from the house. Not inside a
   * transaction: it is another connection's.
   */
  shownTo(actor: Pick<Actor, 'role' | 'tenant'>): Pick<Sql, 'query'>
  /** better-auth's `database` option */
  adapter: DBAdapterInstance
  /** One transaction for everything inside `fn`: what better-auth does in it and what is queried beside it. */
  inTransaction<T>(fn: (sql: Sql) => Promise<T>): Promise<T>
  /** what a personal column of a user's row is set to */
  seal(userId: string, column: PersonalColumn, value: string): Promise<string>
  /** users.email_index of the user with this e-mail */
  emailIndex(email: string): string
  /** gives a user a key, in the transaction that makes the user */
  addKey(userId: string): Promise<void>
  /** destroys it: what was sealed for this user is never read again */
  destroyKey(userId: string): Promise<void>
}

/**
 * better-auth on the db port. Inside `inTransaction` its statements go to that transaction, so that a user, a session
 * and their outbox rows commit together; on PGlite a statement beside it would wait for the only connection for ever.
 */
export function createAuthDatabase(db: Db, personal: PersonalFields): AuthDatabase {
  const transaction = new AsyncLocalStorage<Sql>()
  /** the handle, whose rows come back opened */
  const opening = (sql: Sql): Sql => ({
    query: async <T extends Row>(text: string, params?: readonly Param[]) =>
      personal.open(sql, await sql.query<T>(text, params)),
    script: (text) => sql.script(text),
  })
  const outside = opening(db)
  const shownTo = (actor: Pick<Actor, 'role' | 'tenant'>): Pick<Sql, 'query'> => {
    if (isHouse(actor)) return outside
    const narrowed = db.forTenant(actor.tenant)
    return {
      query: async <T extends Row>(text: string, params?: readonly Param[]) =>
        personal.open(db, await narrowed.query<T>(text, params)),
    }
  }
  const query = <T extends Row>(sql: string, params?: readonly Param[]): Promise<T[]> =>
    (transaction.getStore() ?? outside).query<T>(sql, params)
  const inTransaction = <T>(fn: (sql: Sql) => Promise<T>): Promise<T> => {
    const outer = transaction.getStore()
    if (outer) return fn(outer)
    return db.tx((plain) => {
      const sql = opening(plain)
      return transaction.run(sql, () => fn(sql))
    })
  }
  const seal = (userId: string, column: PersonalColumn, value: string): Promise<string> =>
    personal.seal({ query }, { userId, column }, value)
  const addKey = async (userId: string): Promise<void> => {
    await query('insert into user_keys (user_id, wrapped) values ($1, $2)', [userId, await personal.newKey(userId)])
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
        return (await (model === 'users' ? insertUser(data) : insert(model, data))) as typeof data
      },
      async findOne<T>({ model, where }: { model: string; where: CleanedWhere[] }) {
        const params: Param[] = []
        const rows = await query(
          `select * from ${name(model)}${whereSql(stored(model, where, personal), params)} limit 1`,
          params,
        )
        return (rows[0] as T | undefined) ?? null
      },
      async findMany({ model, where, limit, sortBy, offset }) {
        const params: Param[] = []
        let sql = `select * from ${name(model)}${whereSql(stored(model, where, personal), params)}`
        if (sortBy) sql += ` order by ${name(sortBy.field)} ${sortBy.direction === 'desc' ? 'desc' : 'asc'}`
        sql += ` limit ${parameter(params, limit)} offset ${parameter(params, offset ?? 0)}`
        return (await query(sql, params)) as never
      },
      async count({ model, where }) {
        const params: Param[] = []
        const rows = await query(
          `select count(*)::int as n from ${name(model)}${whereSql(stored(model, where, personal), params)}`,
          params,
        )
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
  return {
    adapter,
    shownTo,
    query,
    inTransaction,
    seal,
    emailIndex: personal.emailIndex,
    addKey,
    async destroyKey(userId) {
      await query('delete from user_keys where user_id = $1', [userId])
      personal.forget(userId)
    },
  }

  async function insert(model: string, data: Row): Promise<Row> {
    const columns = Object.keys(data)
    const values = columns.map((_, i) => `$${i + 1}`)
    const sql = `insert into ${name(model)} (${columns.map(name).join(', ')}) values (${values.join(', ')}) returning *`
    return (await query(sql, Object.values(data) as Param[]))[0]!
  }

  /** With a key of its own, under which the personal fields are sealed. */
  function insertUser(data: Row): Promise<Row> {
    const id = data.id as string
    return inTransaction(async () => {
      const wrapped = await personal.newKey(id)
      const row = await insert('users', await sealed(id, data))
      await query('insert into user_keys (user_id, wrapped) values ($1, $2)', [id, wrapped])
      return row
    })
  }

  async function sealed(userId: string, data: Row): Promise<Row> {
    const out: Row = { ...data }
    for (const column of PERSONAL_COLUMNS) {
      const value = data[column]
      if (typeof value === 'string' && value !== '') out[column] = await seal(userId, column, value)
    }
    if (typeof data.email === 'string') out.email_index = personal.emailIndex(data.email)
    return out
  }

  async function change(model: string, where: CleanedWhere[], update: Row): Promise<Row[]> {
    const params: Param[] = []
    const values = model === 'users' ? await sealed(idIn(where), update) : update
    const sets = Object.entries(values).map(([field, value]) => `${name(field)} = ${parameter(params, value)}`)
    return query(`update ${name(model)} set ${sets.join(', ')}${whereSql(where, params)} returning *`, params)
  }

  function remove(model: string, where: CleanedWhere[]): Promise<Row[]> {
    const params: Param[] = []
    return query(`delete from ${name(model)}${whereSql(where, params)} returning 1`, params)
  }
}

/** E-mails are found by their keyed hash. */
function stored(model: string, where: CleanedWhere[] | undefined, personal: PersonalFields): CleanedWhere[] {
  return (where ?? []).map((clause) =>
    model === 'users' && clause.field === 'email'
      ? { ...clause, field: 'email_index', value: personal.emailIndex(String(clause.value)) }
      : clause,
  )
}

/** What is sealed is of one user. */
function idIn(where: readonly CleanedWhere[]): string {
  const [clause] = where
  if (where.length !== 1 || clause?.field !== 'id' || clause.operator !== 'eq')
    throw new Error('users are changed by their id, one at a time')
  return String(clause.value)
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
