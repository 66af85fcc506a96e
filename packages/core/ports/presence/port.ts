/** A place that somebody has open: taken until it is left, or until its process is dead. */
export interface Seat {
  /** its own among those of all processes */
  id: string
  /** gives it back, once; never rejects: what can't be given back now is over by itself */
  leave(): Promise<void>
}
/**
 * Who has what open now, over all processes that share it. While the server that keeps it is away each process counts
 * for itself; what it let in meanwhile is counted with the others when the server is back, and nobody is put out.
 */
export interface Presence {
  /** counts and takes in one step; null: `who` has `most` already */
  enter(who: string, most: number): Promise<Seat | null>
  /** ids of the seats of living processes; rejects with AssayError unavailable while the server is away */
  list(who: string): Promise<string[]>
  /** why the others can't be counted now, or null */
  away(): string | null
  /** leaves every seat of this process */
  close(): Promise<void>
}
