import { AssayError } from '../contracts/errors.ts'
import type { Problem } from './problem.ts'

/**
 * A handshake that another service hands on: a WebSocket client is told no status when it is refused, so the service
 * always agrees and says in its first frame whether the client is let in.
 */
export const RELAYED = 'x-assay-relayed'

type Admission = { admitted: true } | { admitted: false; problem: Problem }
export const ADMITTED: string = JSON.stringify({ admitted: true } satisfies Admission)
export const refusedAs = (problem: Problem): string => JSON.stringify({ admitted: false, problem } satisfies Admission)

/** null: the client is let in. */
export function readAdmission(frame: unknown): Problem | null {
  const told = typeof frame === 'string' ? (JSON.parse(frame) as Admission) : undefined
  if (told?.admitted === true) return null
  if (told?.admitted === false) return told.problem
  throw new AssayError('internal', 'The first frame of a relayed WebSocket says nothing about its admission.')
}
