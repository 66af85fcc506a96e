import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeAdapters } from '../../testing/adapters.ts'
import { testDatabase } from '../../testing/database.ts'
import { dropTopics, testKafka } from '../../testing/kafka.ts'
import { systemClock } from '../clock/system.ts'
import { applyTopics } from '../kafka/topics.ts'
import { type MarketLogSubject, marketLogContract } from './contract.ts'
import { openKafkaLog, sequencedTopic } from './kafka.ts'
import { openSegmentLog } from './segments.ts'

const sizes = {
  'nothing in memory but the newest segment': { fileEvents: 1, keepEvents: 0, carryEvents: 100 },
  'a little in memory': { fileEvents: 130, keepEvents: 70, carryEvents: 1 },
  'ordinary sizes': {},
}
const GROUPS = ['empty', 'order', 'gaps', 'strict', 'lead', 'lost', 'seal']
const quiet = { warn: () => {} }
let suites = 0

async function onDisk(size: object): Promise<MarketLogSubject> {
  const folder = mkdtempSync(join(tmpdir(), 'marketlog-'))
  const open = () => openSegmentLog({ folder, clock: systemClock, reserveBytes: 64 * 1024, ...size })
  return { log: await open(), reopen: open, dispose: async () => rmSync(folder, { recursive: true }) }
}
async function onKafka(size: object): Promise<MarketLogSubject> {
  const connection = testKafka(`marketlog-${++suites}`)
  await applyTopics(connection, [sequencedTopic(connection, GROUPS, 1 << 30)])
  const { db, drop } = await testDatabase()
  const open = () => openKafkaLog({ connection, db, clock: systemClock, log: quiet, groups: GROUPS, ...size })
  return {
    log: open(),
    reopen: async () => open(),
    dispose: async () => {
      await dropTopics(connection)
      await drop()
    },
  }
}

describeAdapters('marketlog', { embedded: onDisk, real: onKafka }, (open) => {
  for (const [name, size] of Object.entries(sizes)) marketLogContract(name, () => open(size))
})
