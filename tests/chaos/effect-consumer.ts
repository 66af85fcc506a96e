/** A consumer of the platform's own events with an effect in SQL; a process, to be killed. usage: bun effect-consumer.ts SETTINGS (JSON) */
import { appendFileSync } from 'node:fs'
import { TOPICS } from '@assay/core/contracts/topics/catalog'
import { readConfig } from '@assay/core/kernel/config'
import { openDatabase } from '@assay/core/kernel/database'
import { onceInSql } from '@assay/core/kernel/inbox'
import { openLog } from '@assay/core/kernel/log'
import { kafkaConnection } from '@assay/core/kernel/messaging'
import { KafkaBus } from '@assay/core/ports/bus/kafka'
import { systemClock } from '@assay/core/ports/clock/system'
import { type EffectSettings, makeEffect, noteDelivery } from './effect.ts'

const { env, topic, group, deliveries } = JSON.parse(process.argv[2]!) as EffectSettings
const { logger: log } = openLog({
  level: 'info',
  format: 'json',
  out: { write: (line) => appendFileSync(`${deliveries}.log`, line) },
})
const config = readConfig(env)
const db = await openDatabase(config.platform, log)
const connection = kafkaConnection({ config, log })!
const bus = new KafkaBus({ connection, clock: systemClock, log })
const topics = TOPICS.filter(({ name }) => name === topic)
await bus.subscribe({ group, topics }, async ({ envelope: { id, key } }) => {
  const isNew = await onceInSql(db, { group, id }, (sql) =>
    makeEffect((text, params) => sql.query(text, params as string[]), group, id, key),
  )
  noteDelivery(deliveries, id, isNew)
})
console.log('consuming')
