import { AssayError } from '@assay/core/contracts/errors'
import type { LiveView } from '@assay/core/domain/engine/live'
import type { Row } from '@assay/core/ports/db/port'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'

export interface PhaseInput {
  id: string
  /** the phase in force when left out */
  phase?: number | undefined
}
export interface PhaseRow extends Row {
  phase: number
  status: string
  initial_balance: string
  balance: string | null
  equity: string | null
  ended_aseq: string | null
  ended_mts: string | null
}

/**
 * What the owner says now, settled; and the row of an ended phase when that one was asked for. Throws not_found for
 * a phase that has not opened.
 */
export async function openPhase(verb: Verb<PhaseInput>): Promise<{ live: LiveView; past: PhaseRow | null }> {
  await openAssessment(verb, 'trading:read')
  const { input, deps } = verb
  const live = await deps.engine.read(input.id)
  if (input.phase === undefined || input.phase === live.phase) return { live, past: null }
  const [past] = await deps.db.query<PhaseRow>(
    'select phase, status, initial_balance, balance, equity, ended_aseq, ended_mts from trading.phases where account = $1 and phase = $2',
    [input.id, input.phase],
  )
  if (!past) throw new AssayError('not_found', `Phase ${input.phase} has not opened.`, { field: 'phase' })
  return { live, past }
}

/** SQL: the phase asked for in $2, the newest opened one when that is null; $1 is the account. */
export const CURRENT_PHASE = 'coalesce($2::int, (select max(phase) from trading.phases where account = $1), 0)'
