import { AssayError } from '@assay/core/contracts/errors'
import type { LiveView } from '@assay/core/domain/engine/live'
import type { JournalRecord } from '@assay/core/domain/engine/types'
import type { ChannelEvent, ChannelSource } from '@assay/core/kernel/channel'
import type { Row } from '@assay/core/ports/db/port'
import { depsFor, openAssessment } from '../access.ts'
import { liveAccount } from '../accounts/get-account.ts'
import type { TradingDeps } from '../deps.ts'
import { answeredOrder } from '../orders/order-row.ts'
import { iso, isoOrNull } from '../time.ts'
import { OWNED, type OwnerLinks } from './owner-links.ts'

const PAGE = 1000

/**
 * `assessment:<id>`: every record of the journal as it becomes durable, seq = aseq, and between them marks: balance,
 * equity, positions and the distance to each rule. What was missed comes from the journal, always.
 */
export function assessmentChannel(deps: TradingDeps, links?: Pick<OwnerLinks, 'listen'>): ChannelSource {
  return {
    name: 'assessment',
    parse: (key) => (/^[\w-]{1,64}$/.test(key) ? key : null),
    async authorize(ctx, id) {
      await openAssessment({ ctx, input: { id }, deps: depsFor(deps, ctx) }, 'trading:read')
    },
    async snapshot(_ctx, id) {
      const live = await deps.engine.read(id)
      return { seq: live.aseq, data: shown(live) }
    },
    since: (id, after) => recordsAfter(deps, id, after),
    listen: (id, push, lost = () => {}) => (links ? links.listen(id, push, lost) : followHere(deps, id, push)),
  }
}
/** What happens to the accounts of this process, for the other processes of trading: no client is let in. */
export function ownedChannel(deps: TradingDeps): ChannelSource {
  const closed = async () => {
    throw new AssayError('not_found', 'There is no such channel.')
  }
  return {
    name: OWNED,
    peersOnly: true,
    parse: () => null,
    authorize: closed,
    snapshot: closed,
    since: closed,
    listen: (id, push) => followHere(deps, id, push),
  }
}

async function recordsAfter(deps: TradingDeps, id: string, after: number): Promise<ChannelEvent[]> {
  const events: ChannelEvent[] = []
  for (let last = after; ; last = events.at(-1)!.seq) {
    const rows = await deps.db.query<Row & { record: string }>(
      'select record from trading.journal where account = $1 and aseq > $2 order by aseq limit $3',
      [id, last, PAGE],
    )
    events.push(...rows.map(({ record }) => eventOf(JSON.parse(record) as JournalRecord)))
    if (rows.length < PAGE) return events
  }
}

/** Records in order without a hole: what a commit of unknown outcome left out is read from the journal first. */
export function followHere(deps: TradingDeps, id: string, push: (event: ChannelEvent) => void): () => void {
  let last: number | null = null
  let behind: Promise<void> = Promise.resolve()
  let stopped = false
  const tell = (event: ChannelEvent): void => {
    if (stopped || (last !== null && event.seq <= last)) return
    last = event.seq
    push(event)
  }
  const stopRecords = deps.engine.follow(id, (records) => {
    const next = behind.then(async () => {
      if (last !== null && records[0]!.aseq > last + 1) {
        for (const missed of await recordsAfter(deps, id, last)) tell(missed)
      }
      for (const record of records) tell(eventOf(record))
    })
    // the journal could not be read: the next records find the hole again
    behind = next.catch(() => {})
  })
  const stopMarks = deps.engine.listen(id, (live) => {
    // a mark never runs ahead of the records that it rests on
    behind = behind.then(() => {
      if (!stopped && (last === null || live.aseq <= last)) push(markOf(live))
    })
  })
  return () => {
    stopped = true
    stopRecords()
    stopMarks()
  }
}

const eventOf = (record: JournalRecord): ChannelEvent => ({
  seq: record.aseq,
  ts: record.mts,
  kind: 'event',
  data: record,
})
const markOf = (live: LiveView): ChannelEvent => ({
  seq: live.aseq,
  ts: live.mts,
  kind: 'mark',
  mseq: live.mseq,
  conflate: 'mark',
  data: shown(live),
})

/** What a snapshot and a mark show: the account, its positions and rules as REST shows them. */
const shown = (live: LiveView) => ({
  account: liveAccount(live),
  positions: live.positions.map((position) => ({ ...position, opened_at: iso(position.opened_at) })),
  orders: live.orders.map(answeredOrder),
  rules: live.rules.map((rule) => ({ ...rule, reached_at: isoOrNull(rule.reached_at) })),
})
