import type { EncodedState } from '@assay/core/domain/engine/state'
import type { AccountSpec, Answer } from '@assay/core/domain/engine/types'
import type { Receipt } from '@assay/core/domain/journal/receipt'
import type { Db } from '@assay/core/ports/db/port'
import { commitStatement } from './commit-statement.ts'
import { saveStatement } from './save-statement.ts'
import { checkLoaded, type EngineStore, type LoadedAccounts } from './store.ts'
import type { Loaded, StoredAnswer } from './types.ts'

type AccountRow = {
  account: string
  slot: number
  spec: string
  state: EncodedState
  aseq: string
  hash: string
  events: string
  state_hash: string
  deadline: string | null
  exposed: boolean
}
const LOADED =
  'select account, slot, spec, state, aseq, hash, events, state_hash, deadline, exposed from trading.account'
const toLoaded = (r: AccountRow): Loaded =>
  checkLoaded(
    {
      account: r.account,
      slot: r.slot,
      specHash: r.spec,
      state: r.state,
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
      const committed = new Set<string>()
      const held = new Set<number>()
      for (const row of rows!) {
        if (row.account === null) held.add(row.slot as number)
        else committed.add(row.account as string)
      }
      return { committed, held }
    },
    async save(batch, slots) {
      await db.batch([saveStatement(batch, slots)])
    },
    async load(accounts) {
      return withSpecs(await db.query<AccountRow>(`${LOADED} where account = any($1::text[])`, [accounts]))
    },
    async loadSlots(slots) {
      const live = `(status = 'started' or exposed or state->'unsealed' <> '[]'::jsonb)`
      return withSpecs(await db.query<AccountRow>(`${LOADED} where slot = any($1::integer[]) and ${live}`, [slots]))
    },
    async newest() {
      const [row] = await db.query<{ mseq: string | null }>('select max(mseq) as mseq from trading.account')
      return Number(row?.mseq ?? 0)
    },
    async answerOf(account, key) {
      const [column, value] =
        'commandId' in key ? ['command_id', key.commandId] : ['client_order_id', key.clientOrderId]
      const [row] = await db.query<{
        command_id: string
        client_order_id: string | null
        body_hash: string
        aseq: string
        answer: Answer
        receipt: Receipt
      }>(
        `select a.command_id, a.client_order_id, a.body_hash, a.aseq, a.answer, e.receipt from trading.answer a
         join trading.envelope e on e.account = a.account and e.aseq = a.sealed_aseq where a.account = $1 and a.${column} = $2`,
        [account, value],
      )
      if (!row) return null
      return {
        commandId: row.command_id,
        clientOrderId: row.client_order_id,
        bodyHash: row.body_hash,
        aseq: Number(row.aseq),
        answer: row.answer,
        receipt: row.receipt,
      } satisfies StoredAnswer
    },
    async clientOrderIds(account) {
      const rows = await db.query<{ client_order_id: string; body_hash: string }>(
        'select client_order_id, body_hash from trading.answer where account = $1 and client_order_id is not null',
        [account],
      )
      return rows.map((r) => [r.client_order_id, r.body_hash])
    },
  }
}
