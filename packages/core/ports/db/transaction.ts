import { connectionLost } from './failure.ts'
import { DbError, type Param, type Row, type Sql, type Statement } from './port.ts'

const BEGIN = { sql: 'begin' }

/** A transaction on one connection. BEGIN and `first` travel with its first statement; without statements nothing is sent. */
export class Transaction implements Sql {
  /** the statements so far */
  readonly texts: string[] = []
  private state: 'new' | 'open' | 'ended' = 'new'
  /** the first statement that failed */
  failure: unknown

  constructor(
    private readonly send: (statements: readonly Statement[]) => Promise<Row[][]>,
    private readonly run: (sql: string) => Promise<void>,
    private readonly first: readonly Statement[] = [],
  ) {}

  async query<T extends Row = Row>(sql: string, params?: readonly Param[]): Promise<T[]> {
    const statement = { sql, params }
    this.texts.push(sql)
    const opening = this.begin()
    const results = await this.note(this.send(opening ? [BEGIN, ...this.first, statement] : [statement]))
    return results.at(-1) as T[]
  }

  async script(sql: string): Promise<void> {
    this.texts.push(sql)
    if (this.begin()) await this.note(this.send([BEGIN, ...this.first]))
    await this.note(this.run(sql))
  }

  /** its connection went away: there is nobody left to tell */
  get lost(): boolean {
    return connectionLost(this.failure)
  }

  async commit(): Promise<void> {
    await this.end('commit')
  }

  rollback(): Promise<void> {
    return this.end('rollback')
  }

  private begin(): boolean {
    if (this.state === 'ended') throw new DbError('This transaction has ended.', '25P01')
    const isNew = this.state === 'new'
    this.state = 'open'
    return isNew
  }

  private async end(sql: 'commit' | 'rollback'): Promise<void> {
    const wasOpen = this.state === 'open'
    this.state = 'ended'
    if (wasOpen) await this.send([{ sql }])
  }

  private async note<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      this.failure ??= error
      throw error
    }
  }
}
