/** Between the main thread and the PGlite thread. Bytes are PostgreSQL's own protocol, moved, not copied. */
export type ToPglite =
  | { kind: 'open'; folder: string }
  /** a connection: runs as `role` with its schema and `bus` on the search path; null: the owner */
  | { kind: 'connect'; session: number; role: string | null }
  | { kind: 'send'; session: number; bytes: Uint8Array }
  | { kind: 'disconnect'; session: number }
  | { kind: 'close' }
export type FromPglite =
  | { kind: 'opened' }
  | { kind: 'failed'; message: string }
  | { kind: 'answer'; session: number; bytes: Uint8Array }
  | { kind: 'closed' }
