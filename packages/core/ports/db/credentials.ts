/** A login of the database server. */
export interface Credentials {
  user: string
  password: string
  /** ms since 1970 after which the server refuses new connections with it; null: never */
  expiresAt: number | null
  /**
   * The role that owns the platform's objects, taken by whoever is not narrowed to a service: what a login of an hour
   * creates must outlive it. Absent: the login's own.
   */
  owner?: string
}

/**
 * Where the pool gets logins from: a fixed one, or dynamic ones of a secrets server. The source renews or re-issues
 * ahead of `expiresAt` and tells its subscribers; the old login has to work until their running requests are done.
 */
export interface CredentialSource {
  /** what a new connection should use now */
  current(): Promise<Credentials>
  /** calls `changed` with each new login; returns the stop */
  subscribe(changed: (credentials: Credentials) => void): () => void
  close(): Promise<void>
}

/** The one login that never changes. */
export function fixedCredentials(credentials: Credentials): CredentialSource {
  return {
    current: async () => credentials,
    subscribe: () => () => {},
    close: async () => {},
  }
}
