/**
 * Consumers with an inbox and an effect in SQL, killed at random in the middle of their work; each event's effect is
 * counted from outside. How many were killed is kept in a file: called again on the same folder it goes on.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { auditRecorded } from '@assay/core/contracts/topics/identity'
import { environment, readConfig } from '@assay/core/kernel/config'
import { openDatabase } from '@assay/core/kernel/database'
import { catalogOf, kafkaConnection } from '@assay/core/kernel/messaging'
import { enqueue } from '@assay/core/kernel/outbox'
import { startRelay } from '@assay/core/kernel/relay'
import { KafkaBus } from '@assay/core/ports/bus/kafka'
import { systemClock } from '@assay/core/ports/clock/system'
import { migrate } from '@assay/core/ports/db/migrate'
import type { Db } from '@assay/core/ports/db/port'
import { applyTopics } from '@assay/core/ports/kafka/topics'
import type { Finding } from '../../scripts/audit/finding.ts'
import type { Server } from '../../scripts/stack/server.ts'
import { startKafka } from '../../scripts/stack/servers/kafka.ts'
import { startPostgres } from '../../scripts/stack/servers/postgres.ts'
import { settle } from '../../scripts/stack/settle.ts'
import { countEffects, type EffectSettings, makeEffectTables, readDeliveries } from './effect.ts'
import { seeded } from './seeded.ts'

export interface KillsPlan {
  folder: string
  seed: number
  kills: number
  say: (line: string) => void
  signal?: AbortSignal
}
export interface KillsResult {
  kills: number
  events: number
  /** of every group, together */
  effects: number
  repeats: number
  findings: Finding[]
}
/** Each with all events: a killed member keeps its group waiting for its session's end. */
const GROUPS = ['chaos.a', 'chaos.b', 'chaos.c', 'chaos.d']
const KEYS = 40
const EVERY_MS = 25
const WORKING_MS = 90_000
const REST_MS = 180_000
/** Longest life of a consumer after its first event. */
const LIFE_MS = 600
const quiet = { info: () => {}, warn: () => {}, error: () => {} }

export async function runConsumerKills(plan: KillsPlan): Promise<KillsResult> {
  mkdirSync(plan.folder, { recursive: true })
  const file = (name: string) => join(plan.folder, name)
  const servers = (await settle<Server>([
    startPostgres({ folder: file('postgres') }),
    startKafka({ folder: file('kafka') }),
  ])) as [Server, Server]
  const url = servers[0].env.DATABASE_URL!
  const env = { DATABASE_URL: url, KAFKA_BROKERS: servers[1].env.KAFKA_BROKERS!, ASSAY_HOME: file('home') }
  const config = readConfig(env)
  const connection = kafkaConnection({ config, log: quiet as never })!
  await applyTopics(connection, catalogOf(connection, config))
  const db = await openDatabase(config.platform, quiet)
  await migrate(db)
  await makeEffectTables(url)
  const bus = new KafkaBus({ connection, clock: systemClock, log: quiet })
  const relay = startRelay({ db, bus, clock: systemClock, log: quiet })
  const kept = file('progress.json')
  let kills = existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as { kills: number }).kills : 0
  const writing = new AbortController()
  const written = write(db, writing.signal)
  const groups = GROUPS.map((group, n) => ({
    group,
    random: seeded(plan.seed + kills * 7919 + n),
    settings: { env, topic: auditRecorded.name, group, deliveries: file(`deliveries-${group}`) },
  }))
  const isDone = () => kills >= plan.kills || plan.signal?.aborted === true
  const findings: Finding[] = []
  try {
    await Promise.all(
      groups.map(async ({ group, random, settings }) => {
        while (!isDone()) {
          const child = consume(settings)
          const before = readDeliveries(settings.deliveries).all
          const worked = await waitFor(() => readDeliveries(settings.deliveries).all > before, WORKING_MS)
          if (worked) await Bun.sleep(random() * LIFE_MS)
          child.kill('SIGKILL')
          await child.exited
          if (!worked)
            return findings.push({ rule: 'a consumer goes on', place: group, said: `not within ${WORKING_MS} ms` })
          kills++
          writeFileSync(kept, JSON.stringify({ kills }))
          plan.say(
            `kill ${kills}: ${group}, ${readDeliveries(settings.deliveries).all - before} events after its start`,
          )
        }
      }),
    )
    writing.abort()
    await written
    const last = groups.map(({ settings }) => consume(settings))
    const counted = async () => Number((await db.query('select count(*) as n from chaos.written'))[0]!.n)
    const events = await counted()
    const counts = () => Promise.all(GROUPS.map((group) => countEffects(url, group)))
    const rested = await waitFor(async () => (await counts()).every((one) => one.events >= events), REST_MS)
    if (!rested) findings.push({ rule: 'every event has its effect', place: 'at rest', said: `not in ${REST_MS} ms` })
    for (const child of last) {
      child.kill('SIGKILL')
      await child.exited
    }
    const effects = await counts()
    for (const one of effects) {
      findings.push(...one.findings)
      if (one.events !== events)
        findings.push({ rule: 'every event has its effect', place: 'a group', said: `${one.events} of ${events}` })
    }
    return {
      kills,
      events,
      effects: effects.reduce((sum, one) => sum + one.events, 0),
      repeats: groups.reduce((sum, { settings }) => sum + readDeliveries(settings.deliveries).repeats, 0),
      findings,
    }
  } finally {
    writing.abort()
    await written
    await relay.close()
    await bus.close()
    await db.close()
    await settle(servers.map((server) => server.stop()))
  }
}

/** Events at a steady pace, each noted in the transaction that writes it. */
async function write(db: Db, signal: AbortSignal): Promise<void> {
  await db.query('create table if not exists chaos.written (n bigint primary key)')
  const [last] = await db.query<{ n: string }>('select coalesce(max(n), 0) as n from chaos.written')
  for (let n = Number(last!.n) + 1; !signal.aborted; n++) {
    const actor = `actor-${n % KEYS}`
    await db.tx(async (sql) => {
      await sql.query('insert into chaos.written values ($1)', [n])
      const seq = Math.ceil(n / KEYS)
      const data = { action: 'counted', actor, tenant: 'default', detail: { n } }
      await enqueue(sql, auditRecorded, { aggregate: `chaos:${actor}`, seq, key: actor, data })
    })
    await Bun.sleep(EVERY_MS)
  }
}

const consume = (settings: EffectSettings) =>
  Bun.spawn([process.execPath, new URL('effect-consumer.ts', import.meta.url).pathname, JSON.stringify(settings)], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
    env: { PATH: environment().PATH, HOME: environment().HOME },
  })

async function waitFor(condition: () => boolean | Promise<boolean>, deadlineMs: number): Promise<boolean> {
  for (const end = performance.now() + deadlineMs; performance.now() < end; await Bun.sleep(20))
    if (await condition()) return true
  return false
}
