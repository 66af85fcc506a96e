/** The full check of a platform on servers, in one snapshot and past every proxy and adapter. */
import { marketSequenced } from '@assay/core/contracts/topics/market-data'
import { orderPlaced } from '@assay/core/contracts/topics/trading'
import { auditDatabase } from '../../scripts/audit/audit.ts'
import type { Audited } from '../../scripts/audit/finding.ts'
import type { Ack } from './acks.ts'
import { auditPromises, type PublicKey } from './audit-promises.ts'
import { asAdmin } from './effect.ts'
import { auditSequenced, EVENTS_TABLE, loadEvents, readTopics } from './kafka-topics.ts'
import type { Servers } from './servers.ts'

interface Asked {
  direct: Servers['direct']
  /** of before the snapshot */
  acks: readonly Ack[]
  /** what the broker holds too: the platform's events and the market log */
  withTopics: boolean
  /** tells the public keys of the journals */
  url: string
}
const isAccountEvent = (topic: string) =>
  /^(trading|assessment|rules)\./.test(topic) && !topic.endsWith('.dead-letter') && topic !== 'trading.account-marked'

export async function auditServers({ direct, acks, withTopics, url }: Asked): Promise<Audited> {
  const { keys } = (await fetch(`${url}/.well-known/assay-journal-keys.json`).then((a) => a.json())) as {
    keys: PublicKey[]
  }
  return asAdmin(direct.database, async (ask) => {
    await ask('begin isolation level repeatable read')
    await ask('select from trading.account limit 1')
    const held = withTopics ? await readTopics(direct.brokers, (topic) => !topic.startsWith('__')) : []
    if (withTopics)
      await loadEvents(
        ask,
        held.filter(({ topic }) => isAccountEvent(topic)),
      )
    const database = await auditDatabase(ask, withTopics ? { table: EVENTS_TABLE, order: 'n' } : null)
    const promises = await auditPromises(ask, acks, keys)
    const [market, letters, told] = ['market', 'letters', 'told'].map((what) =>
      held.filter(({ topic }) =>
        what === 'market'
          ? topic === marketSequenced.name
          : what === 'letters'
            ? topic.endsWith('.dead-letter')
            : topic === orderPlaced.name,
      ),
    ) as [typeof held, typeof held, typeof held]
    const log = withTopics ? await auditSequenced(ask, market) : []
    const dead = letters.map(({ topic, text }) => ({
      rule: 'no event is put aside',
      place: topic,
      said: text.slice(0, 300),
    }))
    return {
      findings: [...database.findings, ...promises, ...log, ...dead],
      counted: {
        ...database.counted,
        acknowledgements: acks.length,
        ...(withTopics && { 'orders told': new Set(told.map(({ text }) => JSON.parse(text).id)).size }),
      },
    }
  })
}
