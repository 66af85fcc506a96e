import type { AccountResource } from '@assay/core/contracts/wire/account'
import type { LiveView } from '@assay/core/domain/engine/live'
import type { Verb } from '../deps.ts'
import { iso, isoOrNull } from '../time.ts'
import { openPhase, type PhaseInput, type PhaseRow } from './live.ts'

/** The phase's account: live from the engine with its mseq; as it ended where the phase is over. */
export async function getAccount(verb: Verb<PhaseInput>): Promise<AccountResource> {
  const { live, past } = await openPhase(verb)
  return past ? endedAccount(live, past) : liveAccount(live)
}

export const liveAccount = (live: LiveView): AccountResource => ({
  id: live.account,
  status: live.status,
  phase: live.phase,
  currency: live.currency,
  balance: live.balance,
  equity: live.equity,
  unrealised: live.unrealised,
  used_margin: live.used_margin,
  reserved_margin: live.reserved_margin,
  free_margin: live.free_margin,
  provisional: live.provisional,
  unknown_symbols: live.unknown_symbols,
  lock: live.lock && { ...live.lock, until: iso(live.lock.until) },
  pauses: { count: live.pauses.count, until: isoOrNull(live.pauses.until) },
  day: live.day && {
    k: live.day.k,
    started_at: iso(live.day.start),
    next_reset: iso(live.day.next_reset),
    balance: live.day.balance,
    equity: live.day.equity,
  },
  aseq: live.aseq,
  mseq: live.mseq,
  at: iso(live.mts),
})

function endedAccount(live: LiveView, past: PhaseRow): AccountResource {
  const equity = past.equity ?? past.balance ?? past.initial_balance
  return {
    ...liveAccount(live),
    status: past.status,
    phase: past.phase,
    balance: past.balance ?? past.initial_balance,
    equity,
    unrealised: '0',
    used_margin: '0',
    reserved_margin: '0',
    free_margin: equity,
    provisional: false,
    unknown_symbols: [],
    lock: null,
    pauses: { count: 0, until: null },
    day: null,
    at: iso(past.ended_mts ?? live.mts),
  }
}
