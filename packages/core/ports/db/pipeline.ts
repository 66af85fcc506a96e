import type { Connection, Submittable } from 'pg'
import { encodeParam, parserOf } from './codec.ts'
import type { Row, Statement } from './port.ts'

/** Statements that one connection keeps parsed and planned on the server. */
const MAX_PREPARED = 200
interface Prepared {
  /** by their text: when each was last used, a count of the process's */
  names: Map<string, { name: string; used: number }>
  /** parsed in an exchange that failed: closed at the next one */
  stale: string[]
}
const preparedOf = new WeakMap<Connection, Prepared>()
// unique in the process: on PGlite all connections share one server session
let lastName = 0
let uses = 0

interface RowDescription {
  fields: { name: string; dataTypeID: number }[]
}

/**
 * Statements sent as one message and answered by one: up to the final Sync the server runs them as one transaction,
 * without BEGIN and COMMIT. The first error rolls all of it back.
 */
export class Pipeline implements Submittable {
  private readonly results: Row[][] = [[]]
  private columns: { name: string; parse: (text: string) => unknown }[] = []
  private readonly parsed: [sql: string, name: string][] = []
  private prepared: Prepared = { names: new Map(), stale: [] }
  private failed = false
  /** something of it is on its way to the server */
  sent = false

  constructor(
    private readonly statements: readonly Statement[],
    private readonly settle: (error: unknown, results: Row[][]) => void,
  ) {}

  submit(connection: Connection): Error | undefined {
    this.prepared = preparedOf.get(connection) ?? this.prepared
    preparedOf.set(connection, this.prepared)
    connection.stream.cork()
    try {
      for (const name of this.prepared.stale.splice(0)) connection.close({ type: 'S', name }, true)
      for (const statement of this.statements) this.send(connection, statement)
      connection.sync()
      this.sent = true
    } catch (error) {
      return error as Error
    } finally {
      connection.stream.uncork()
    }
  }

  private send(connection: Connection, { sql, params = [] }: Statement): void {
    const { names } = this.prepared
    const known = names.get(sql)
    if (known) known.used = ++uses
    let name = known?.name ?? this.parsed.find(([text]) => text === sql)?.[1]
    const values = params.map(encodeParam)
    if (name === undefined) {
      name = `assay_${++lastName}`
      this.parsed.push([sql, name])
      connection.parse({ name, text: sql, types: [] }, true)
    }
    connection.bind({ statement: name, values } as never, true)
    connection.describe({ type: 'P', name: '' }, true)
    connection.execute(null, true)
  }

  handleRowDescription(message: RowDescription): void {
    this.columns = message.fields.map(({ name, dataTypeID }) => ({ name, parse: parserOf(dataTypeID) }))
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    const row: Row = {}
    for (let i = 0; i < fields.length; i++) {
      const column = this.columns[i]!
      const text = fields[i]!
      row[column.name] = text === null ? null : column.parse(text)
    }
    this.results.at(-1)!.push(row)
  }

  handleCommandComplete(): void {
    this.results.push([])
  }

  handleEmptyQuery(): void {
    this.results.push([])
  }

  handleError(error: unknown): void {
    if (this.failed) return
    this.failed = true
    for (const [, name] of this.parsed) this.prepared.stale.push(name)
    this.settle(error, [])
  }

  handleReadyForQuery(): void {
    if (this.failed) return
    const { names, stale } = this.prepared
    for (const [sql, name] of this.parsed) names.set(sql, { name, used: ++uses })
    while (names.size > MAX_PREPARED) stale.push(forgetOldest(names))
    this.settle(null, this.results.slice(0, -1))
  }
}

/** The statement that was not used for longest; gives its name. */
function forgetOldest(names: Prepared['names']): string {
  let [oldest, name, used] = ['', '', Number.POSITIVE_INFINITY]
  for (const [sql, its] of names) if (its.used < used) [oldest, name, used] = [sql, its.name, its.used]
  names.delete(oldest)
  return name
}
