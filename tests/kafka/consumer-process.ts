/** A consumer with an effect in SQL, to be killed: argv brokers, prefix, database URL. */
import { onceInSql } from '@assay/core/kernel/inbox'
import { KafkaBus } from '@assay/core/ports/bus/kafka'
import { systemClock } from '@assay/core/ports/clock/system'
import { openPostgres } from '@assay/core/ports/db/postgres'
import { KafkaConnection } from '@assay/core/ports/kafka/connection'
import { COUNTED } from './counted.ts'

const [brokers, prefix, url] = process.argv.slice(2) as [string, string, string]
const log = { info: () => {}, warn: () => {}, error: console.error }
const db = await openPostgres({ url, log })
const connection = new KafkaConnection({ brokers: [brokers], clientId: 'killed', prefix }, log)
const bus = new KafkaBus({ connection, clock: systemClock, log, topics: [COUNTED] })
await bus.subscribe({ group: 'counter', topics: [COUNTED] }, async ({ envelope }) => {
  await db.query('insert into public.delivered values ($1)', [envelope.id])
  await onceInSql(db, { group: 'counter', id: envelope.id }, async (sql) => {
    await sql.query('update public.counter set n = n + 1')
    await sql.query('insert into public.posting values ($1, $2)', [envelope.id, (envelope.data as { n: number }).n])
  })
})
console.log('consuming')
