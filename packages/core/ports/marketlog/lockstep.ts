/**
 * Lockstep: participants of a group and what they have done. An owner answers for slots, so that one that is lost is
 * waited for through its successor. The sequencer releases event n + 1 when every owner
 * applied n (all it caused is committed) and every driver is done with n (its commands up to n are answered).
 * A driver may be done ahead: done(n + k) says that it has no command before n + k; up to there events may be
 * released together, owners following.
 */
export interface Participant {
  /** owner: applied; driver: done. Never falls. */
  report(mseq: number): void
  /** owner: it answers for these slots from here on, instead of who did; the next report covers them */
  takes(slots: readonly number[]): Promise<void>
  /** owner: it answers for them no more; they are waited for where they stand until another takes them */
  gives(slots: readonly number[]): Promise<void>
  /** an owner's slots are waited for until another takes them */
  leave(): void
}
export interface Lockstep {
  readonly group: string
  join(kind: 'owner' | 'driver', id: string): Participant
  /** resolves when every owner applied `mseq` */
  applied(mseq: number, signal?: AbortSignal): Promise<void>
  /** resolves when all participants allow event `mseq` to be released; rejects after 60 s of a driver's silence */
  released(mseq: number, signal?: AbortSignal): Promise<void>
  /** resolves once a driver has joined, also where it has left again: a run that has one does not begin without it */
  driven(signal?: AbortSignal): Promise<void>
  /** the highest mseq that may be released now */
  ceiling(): number
}
/** A driver kept the run waiting for longer than it may. */
export class DriverSilentError extends Error {}
