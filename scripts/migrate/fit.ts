import { pending } from '@assay/core/ports/db/migrate'
import { type Claim, isOwn, readClaim } from './claim.ts'
import type { Ends } from './ends.ts'
import { namesOf } from './move-blobs.ts'
import { type SecretsFile, secretProblems, secretsIn } from './move-secrets.ts'
import { BUS_TABLES, filledTopics, TopicsDesk } from './move-topics.ts'
import { counted, type Say } from './step.ts'
import { filledTables, rowsOf, tablesOf } from './tables.ts'

const NEWEST_ENOUGH = 150_000

/** Why the servers can't take the folder; none: they can. `claim`: this folder's own move, which was interrupted. */
export async function problemsOf(ends: Ends): Promise<{ problems: string[]; claim: Claim | null }> {
  const claim = await readClaim(ends.database.target)
  const own = claim !== null && isOwn(ends.home, claim)
  if (claim && !own)
    return {
      claim: null,
      problems: [`a move of ${claim.home} into this database has begun: end it there, or take a new database`],
    }
  if (claim && !sameTargets(claim.to, ends.to))
    return { claim, problems: [`this move began to ${told(claim.to)}: end it with the same variables`] }
  const problems = [
    ...(await serverProblems(ends)),
    ...(claim ? [] : await dataProblems(ends)),
    ...(ends.secrets ? await secretProblems(await withUsedFactors(ends), ends.secrets.target, own) : []),
  ]
  return { problems, claim }
}

/** Keys of second factors that were turned off, or whose users were erased, hold nothing up. */
async function withUsedFactors({ secrets, database: { source } }: Ends): Promise<SecretsFile> {
  const file = secrets!.source
  const [there] = await source.query(`select 1 where to_regclass('gateway.second_factors') is not null`)
  const used = there ? await source.query<{ name: string }>('select key_name as name from gateway.second_factors') : []
  const names = new Set(used.map(({ name }) => name))
  return { ...file, totp: file.totp.filter((name) => names.has(name)) }
}
const told = (to: Record<string, string>): string => Object.values(to).join(', ')
const sameTargets = (a: Record<string, string>, b: Record<string, string>): boolean =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort())

async function serverProblems({ database: { target } }: Ends): Promise<string[]> {
  const [row] = await target.query<{ version: string; encoding: string; number: number }>(
    `select version(), current_setting('server_encoding') as encoding, current_setting('server_version_num')::int as number`,
  )
  const { version, encoding, number } = row!
  if (encoding !== 'UTF8') return [`the database's encoding is ${encoding}; it must be UTF8`]
  return number < NEWEST_ENOUGH ? [`the server is ${version}; PostgreSQL 15 is the oldest that will do`] : []
}

/** A move never mixes two platforms. */
async function dataProblems({ database: { target }, kafka, blobs, to }: Ends): Promise<string[]> {
  const problems: string[] = []
  const tables = await filledTables(target)
  if (tables.length > 0)
    problems.push(`the database ${to.database} already holds data (${some(tables)}): give an empty one`)
  if (kafka) {
    const desk = await TopicsDesk.open(kafka.connection)
    const topics = await filledTopics(desk, kafka.names).finally(() => desk.close())
    if (topics.length > 0)
      problems.push(
        `Kafka already holds events (${some(topics)}): empty these topics, or choose another KAFKA_TOPIC_PREFIX`,
      )
  }
  if (blobs) {
    const [first] = await blobs.target.list('', { limit: 1 })
    if (first) problems.push(`the bucket ${to.blobs} already holds ${first}: give an empty one`)
  }
  return problems
}
const some = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')

/** What a move would bring where. */
export async function tellPlan({ database, kafka, blobs, secrets, to, staying }: Ends, say: Say): Promise<void> {
  const elsewhere = kafka ? BUS_TABLES : []
  let rows = 0
  const tables = (await tablesOf(database.source)).filter(({ name }) => !elsewhere.includes(name))
  for (const table of tables) rows += await rowsOf(database.source, table)
  const missing = await pending(database.target)
  say(
    'database',
    `to ${to.database}: ${counted(tables.length, 'table')}, ${counted(rows, 'row')}; ${counted(missing.length, 'migration')} to apply there first`,
  )
  if (kafka) {
    const events = await rowsOf(database.source, { name: 'bus.topic_event' })
    say('kafka', `to ${to.kafka}: ${counted(events, 'event')} of durable topics, with the offsets of their groups`)
    for (const group of kafka.groups) {
      const { from } = await kafka.source.carry(group, 0)
      const end = await kafka.source.end(group)
      say('kafka', `to ${to.kafka}: market log ${group}, ${end ? `events ${from} to ${end.mseq}` : 'which is empty'}`)
    }
  }
  if (blobs) {
    let n = 0
    for await (const names of namesOf(blobs.source)) n += names.length
    say('blobs', `to ${to.blobs}: ${counted(n, 'blob')}`)
  }
  if (secrets) say('secrets', `to ${to.secrets}: ${counted(secretsIn(secrets.source), 'value')}`)
  for (const [part, reason] of staying) say(part, reason)
}
