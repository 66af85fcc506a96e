import type pg from 'pg'
import type { Logger } from 'pino'
import type { Watch } from './watch.ts'

const CHANNEL = 'assay_committed'
/** What is committed meanwhile is told at once: a hint more often than this saves nobody a poll. */
const EVERY_MS = 20
const RECONNECT_MS = [100, 500, 2_000, 5_000] as const

export interface AnnouncerOptions {
  /** a new connection each time, not connected yet */
  client: () => pg.Client
  watched: Watch
  /** tables that other processes wait for */
  tables: readonly string[]
  log: Pick<Logger, 'warn'>
}

/**
 * Tells other processes which tables this one has committed to, and hears theirs, by LISTEN/NOTIFY on a connection of
 * its own after the commit: NOTIFY inside it would make all commits wait for one lock. Hints only: whoever waits for
 * them polls too, and all are woken when the connection was away.
 */
export class Announcer {
  private readonly me = crypto.randomUUID()
  private readonly fresh = new Set<string>()
  private connected: pg.Client | undefined
  private timer: Timer | undefined
  private failures = 0
  private closed = false

  constructor(private readonly options: AnnouncerOptions) {}

  /** Resolves when it listens or has failed to for the first time; it goes on trying by itself. */
  async start(): Promise<void> {
    const { client: make, watched, tables, log } = this.options
    const client = make()
    let gone = false
    const again = (error?: Error) => {
      if (gone || this.closed) return
      gone = true
      // another one took its place
      if (this.connected && this.connected !== client) return
      this.connected = undefined
      client.end().catch(() => {})
      if (this.failures === 0) log.warn({ err: error }, 'commits of other processes are not heard; polling goes on')
      const wait = RECONNECT_MS[Math.min(this.failures++, RECONNECT_MS.length - 1)]!
      this.timer = setTimeout(() => void this.start(), wait)
    }
    client.on('error', again)
    client.on('end', again)
    client.on('notification', ({ payload = '' }) => {
      const [from, ...named] = payload.split(' ')
      if (from !== this.me) watched.committed(named)
    })
    try {
      await client.connect()
      await client.query(`set synchronous_commit to off; listen ${CHANNEL}`)
    } catch (error) {
      return again(error as Error)
    }
    if (this.closed) return void client.end()
    this.connected = client
    if (this.failures > 0) watched.committed(tables)
    this.failures = 0
  }

  committed(texts: readonly string[]): void {
    for (const table of this.options.tables) {
      if (!this.fresh.has(table) && texts.some((text) => text.includes(table))) this.fresh.add(table)
    }
    if (this.fresh.size > 0) this.tellSoon()
  }

  /** A connection under the latest login. */
  async renew(): Promise<void> {
    const old = this.connected
    await this.start()
    if (old && this.connected !== old) await old.end().catch(() => {})
  }

  async close(): Promise<void> {
    this.closed = true
    clearTimeout(this.timer)
    clearTimeout(this.telling)
    await this.connected?.end().catch(() => {})
  }

  private telling: Timer | undefined
  private tellSoon(): void {
    if (this.telling || this.closed) return
    this.telling = setTimeout(() => void this.tell(), EVERY_MS)
  }
  private async tell(): Promise<void> {
    const named = [...this.fresh]
    this.fresh.clear()
    // who can't be told now polls
    await this.connected?.query('select pg_notify($1, $2)', [CHANNEL, [this.me, ...named].join(' ')]).catch(() => {})
    this.telling = undefined
    if (this.fresh.size > 0) this.tellSoon()
  }
}
