import type { EncodedState } from '@assay/core/domain/engine/stored-state'
import type { AccountSpec, Answer } from '@assay/core/domain/engine/types'
import type { Receipt } from '@assay/core/domain/journal/receipt'
import type { Db, Row } from '@assay/core/ports/db/port'
import { commitStatement } from './commit-statement.ts'
import { saveStatement } from './save-statement.ts'
import { checkLoaded, type EngineStore, type LoadedAccounts } from './store.ts'
import type { Loaded, StoredAnswer } from './types.ts'

type AccountRow = {
  account: string
  slot: number
  spec: string
  mseq: string
  mts: string
  state: EncodedState
  aseq: string
  hash: string
  events: string
  state_hash: string
  deadline: string | null
  exposed: boolean
}
interface AnswerRow extends Row {
  command_id: string
  client_order_id: string | null
  body_hash: string
  aseq: string
  record: string
  receipt: Receipt
}
const LOADED =
  'select account, slot, spec, state, mseq, mts, aseq, hash, events, state_hash, deadline, exposed from trading.account'
const toLoaded = (r: AccountRow): Loaded =>
  checkLoaded(
    {
      account: r.account,
      slot: r.slot,
      specHash: r.spec,
      state: { ...r.state, account: r.account, mseq: Number(r.mseq), mts: Number(r.mts) },
      end: { aseq: Number(r.aseq), hash: r.hash, events: Number(r.events) },
      deadline: r.deadline === null ? null : Number(r.deadline),
      exposed: r.exposed,
    },
    r.state_hash,
  )

/** The engine's tables in PostgreSQL or PGlite. */
export function sqlStore(db: Db): EngineStore {
  async function withSpecs(rows: AccountRow[]): Promise<LoadedAccounts> {
    const accounts = rows.map(toLoaded)
    const hashes = [...new Set(accounts.map((a) => a.specHash))]
    const docs = await db.query<{ hash: string; doc: AccountSpec }>(
      'select hash, doc from trading.spec where hash = any($1::text[])',
      [hashes],
    )
    return { accounts, specs: Object.fromEntries(docs.map((d) => [d.hash, d.doc])) }
  }
  return {
    connections: Math.min(db.connections, 2),
    async commit(batch, slots) {
      const [rows] = await db.batch([commitStatement(batch, slots)])
      const { kept, held } = rows![0] as { kept: number[] | null; held: number[] | null }
      return { committed: new Set(kept?.map((n) => batch[n]!.commit.account)), held: new Set(held) }
    },
    async save(batch, slots) {
      await db.batch([saveStatement(batch, slots)])
    },
    async load(accounts) {
      return withSpecs(await db.query<AccountRow>(`${LOADED} where account = any($1::text[])`, [accounts]))
    },
    async loadSlots(slots) {
      const live = `(status = 'started' or exposed or (state->'unsealed')::text <> '[]')`
      return withSpecs(await db.query<AccountRow>(`${LOADED} where slot = any($1::integer[]) and ${live}`, [slots]))
    },
    async newest() {
      const [row] = await db.query<{ mseq: string | null }>('select max(mseq) as mseq from trading.account')
      return Number(row?.mseq ?? 0)
    },
    async answerOf(account, key) {
      // newest first: a command is looked up when the outcome of its commit was not known
      const named = 'commandId' in key ? 'c.command_id = $2 order by c.aseq desc limit 1' : 'c.client_order_id = $2'
      const [row] = await db.query<AnswerRow>(
        `select c.command_id, c.client_order_id, c.body_hash, c.aseq, c.record, s.receipt from trading.journal c
         join trading.journal s on s.account = c.account and s.aseq = c.sealed_aseq where c.account = $1 and ${named}`,
        [account, 'commandId' in key ? key.commandId : key.clientOrderId],
      )
      if (!row) return null
      return {
        commandId: row.command_id,
        clientOrderId: row.client_order_id,
        bodyHash: row.body_hash,
        aseq: Number(row.aseq),
        answer: (JSON.parse(row.record) as { answer: Answer }).answer,
        receipt: row.receipt,
      } satisfies StoredAnswer
    },
    async clientOrderIds(account) {
      const rows = await db.query<{ client_order_id: string; body_hash: string }>(
        'select client_order_id, body_hash from trading.journal where account = $1 and client_order_id is not null',
        [account],
      )
      return rows.map((r) => [r.client_order_id, r.body_hash])
    },
  }
}
