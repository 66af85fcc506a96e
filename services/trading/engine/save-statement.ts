import type { Statement } from '@assay/core/ports/db/port'
import type { OwnedSlot } from './commit-statement.ts'
import type { StateText } from './seal.ts'
import type { AccountSave } from './types.ts'

/** State without a record: fenced like a commit, and only where the account has not moved on. */
export function saveStatement(
  batch: readonly (AccountSave & { text: StateText })[],
  slots: readonly OwnedSlot[],
): Statement {
  const sql = `with held as materialized (
      select s.slot from trading.slot s join unnest($1::integer[], $2::bigint[]) as mine(slot, epoch)
      on mine.slot = s.slot and mine.epoch = s.epoch order by s.slot for key share of s),
    input as materialized (
      select * from unnest($3::text[], $4::integer[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[], $9::bigint[], $10::text[])
      as r(account, slot, aseq, deadline, state, mseq, mts, state_hash) where slot in (select slot from held))
    update trading.account a set state = i.state::json, mseq = i.mseq, mts = i.mts, deadline = i.deadline, state_hash = i.state_hash,
      saved_at = now()
    from input i where a.account = i.account and a.aseq = i.aseq and a.mseq <= i.mseq`
  return {
    sql,
    params: [
      slots.map((s) => s.slot),
      slots.map((s) => s.epoch),
      batch.map((s) => s.account),
      batch.map((s) => s.slot),
      batch.map((s) => s.aseq),
      batch.map((s) => s.deadline),
      batch.map((s) => s.text.text),
      batch.map((s) => s.state.mseq as number),
      batch.map((s) => s.state.mts as number),
      batch.map((s) => s.text.hash),
    ],
  }
}
