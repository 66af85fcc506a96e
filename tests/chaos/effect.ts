/** The effect that proves it: an increment and a ledger posting for each event, made by a consumer, counted from outside. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import pg from 'pg'
import type { Finding } from '../../scripts/audit/finding.ts'

export interface EffectSettings {
  /** of Assay's configuration: where its servers are, through the proxies */
  env: Record<string, string>
  topic: string
  group: string
  /** one line for every delivery: the event's id, and whether its effect was made now */
  deliveries: string
}
/**
 * No constraint would refuse a second effect: it would be seen. The commit takes a while, so that there is one under way
 * whenever a server or the consumer is lost.
 */
const TABLES = `
  create schema chaos;
  create table chaos.counter (consumer text primary key, n bigint not null);
  create table chaos.posting (consumer text not null, event uuid not null, account text not null, amount numeric not null);
  create table chaos.claimed (event uuid not null);
  create function chaos.wait() returns trigger language plpgsql as 'begin perform pg_sleep(0.05); return null; end';
  create constraint trigger slow_commit after insert on chaos.claimed deferrable initially deferred
    for each row execute function chaos.wait()`

export async function makeEffectTables(url: string): Promise<void> {
  await asAdmin(url, async (ask) => {
    const [there] = await ask(`select from pg_namespace where nspname = 'chaos'`)
    if (!there) await ask(TABLES)
  })
}

/** What a consumer does for each event, inside its inbox's transaction. */
export async function makeEffect(ask: Rows, consumer: string, event: string, about: string): Promise<void> {
  await ask(`insert into chaos.counter values ($1, 1) on conflict (consumer) do update set n = chaos.counter.n + 1`, [
    consumer,
  ])
  await ask(`insert into chaos.posting values ($1, $2, 'events', 1), ($1, $2, 'about:' || $3, -1)`, [
    consumer,
    event,
    about,
  ])
  await ask('insert into chaos.claimed values ($1)', [event])
}

export interface Effects {
  /** events whose effect is there */
  events: number
  /** what does not agree, or was done twice */
  findings: Finding[]
}
/** By a connection of its own, past every proxy and every adapter. */
export async function countEffects(url: string, consumer: string): Promise<Effects> {
  return asAdmin(url, async (ask) => {
    await ask('begin isolation level repeatable read read only')
    const [counter] = await ask('select n from chaos.counter where consumer = $1', [consumer])
    const [posted] = await ask(
      `select count(distinct event) as events, coalesce(sum(amount), 0) as balance,
         coalesce(sum(amount) filter (where account = 'events'), 0) as total from chaos.posting where consumer = $1`,
      [consumer],
    )
    const twice = await ask(
      'select event from chaos.posting where consumer = $1 group by event having count(*) <> 2 limit 20',
      [consumer],
    )
    const findings: Finding[] = twice.map(({ event }) => ({
      rule: 'an event is posted once',
      place: String(event),
      said: 'not two entries',
    }))
    const events = Number(posted!.events)
    const same = { 'the counter': counter?.n ?? 0, 'the ledger': posted!.total }
    for (const [place, n] of Object.entries(same))
      if (Number(n) !== events) findings.push({ rule: 'each event counts once', place, said: `${n} for ${events}` })
    if (Number(posted!.balance) !== 0)
      findings.push({ rule: 'the postings balance', place: 'chaos.posting', said: String(posted!.balance) })
    return { events, findings }
  })
}

export interface Deliveries {
  all: number
  /** that the inbox knew: delivered again after their effect was made */
  repeats: number
}
export const noteDelivery = (file: string, id: string, isNew: boolean): void =>
  appendFileSync(file, `${id} ${isNew ? 'new' : 'repeat'}\n`)
export function readDeliveries(file: string): Deliveries {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
  return { all: lines.length, repeats: lines.filter((line) => line.endsWith(' repeat')).length }
}

export type Rows = (sql: string, params?: unknown[]) => Promise<Record<string, unknown>[]>
/** Statements past the proxies, in one session. */
export async function asAdmin<T>(url: string, work: (ask: Rows) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    return await work((sql, params) => client.query(sql, params).then(({ rows }) => rows))
  } finally {
    await client.end()
  }
}
