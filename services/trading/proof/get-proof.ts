import { AssayError } from '@assay/core/contracts/errors'
import { openAssessment } from '../access.ts'
import type { Verb } from '../deps.ts'
import { type CallerProofDeps, findProvable, makeProof } from './make-proof.ts'

export type ProofAnswer =
  /** the verdict's segment has not ended: ask again */
  | { kind: 'later'; retryAfterS: number }
  | { kind: 'same'; etag: string }
  | { kind: 'proof'; etag: string; bytes: Uint8Array }

/** A segment ends within a minute of market time. */
const LATER: ProofAnswer = { kind: 'later', retryAfterS: 5 }

export async function getProof({
  ctx,
  input,
  deps,
}: Omit<Verb<{ id: string; ifNoneMatch: string | null }>, 'deps'> & { deps: CallerProofDeps }): Promise<ProofAnswer> {
  await openAssessment({ ctx, input, deps: deps.trading }, 'trading:read')
  const provable = await findProvable(deps, input.id)
  if (!provable) throw new AssayError('not_found', 'The assessment has no journal yet.')
  if (provable === 'unsealed') return LATER
  const etag = `"${provable.name}"`
  if (input.ifNoneMatch?.split(',').some((tag) => tag.trim() === etag)) return { kind: 'same', etag }
  const bytes = await makeProof(deps, provable)
  return bytes ? { kind: 'proof', etag, bytes } : LATER
}
