import type { CredentialSource, Credentials } from '../db/credentials.ts'
import { isAway, type VaultClient } from './vault-client.ts'

export interface VaultCredentialsOptions {
  client: VaultClient
  mount: string
  /** of the database engine, made by `assay vault setup` */
  role: string
  /** the database role that owns the platform's objects */
  owner?: string | undefined
  /** how long the old login works on after a new one was issued */
  graceMs?: number
}
export interface VaultCredentials extends CredentialSource {
  rotate(): Promise<void>
}
interface Lease {
  id: string
  /** of the first issue; renewals that fall short of half of it have come to the longest life */
  ttlMs: number
  credentials: Credentials
}

const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 15_000

/** Logins of the database engine: renewed at half of their time, issued anew when renewing comes to its end. */
export async function openVaultCredentials(options: VaultCredentialsOptions): Promise<VaultCredentials> {
  const { client, mount, role, owner, graceMs = 60_000 } = options
  const { clock, log } = client
  const subscribers = new Set<(credentials: Credentials) => void>()
  const closing = new AbortController()
  const retiring = new Set<string>()
  let opened = false

  async function issue(): Promise<Lease> {
    const { found, body } = await client.request(
      'database-credentials',
      (vault) => vault.read(`${mount}/creds/${role}`),
      {
        // an answer that is lost leaves a login behind until its time is over; a repeat would leave a second one
        once: true,
      },
    )
    if (!found) throw new Error(`VAULT_DATABASE_ROLE: the secrets server has no database role "${role}"`)
    const ttlMs = Number(body.lease_duration) * 1_000
    const { username: user, password } = body.data as { username: string; password: string }
    return {
      id: body.lease_id,
      ttlMs,
      credentials: { user, password, expiresAt: clock.now() + ttlMs, ...(owner !== undefined && { owner }) },
    }
  }
  const revoke = (id: string) =>
    client
      // the policy of a service allows this path, with the lease in it
      .request('lease-revoke', (vault) => vault.write(`sys/leases/revoke/${id}`, {}))
      .then(
        () => retiring.delete(id),
        // it ends by itself when its time is over
        () => retiring.delete(id),
      )
  async function retire(id: string): Promise<void> {
    retiring.add(id)
    await clock.sleep(graceMs, closing.signal).catch(() => {})
    if (!closing.signal.aborted) await revoke(id)
  }

  let lease = await issue()
  let replacing: Promise<void> | undefined

  /** A new login; who asks meanwhile gets the same. */
  function replace(): Promise<void> {
    replacing ??= issue()
      .then((next) => {
        const { id } = lease
        lease = next
        log.info({ expires_at: new Date(next.credentials.expiresAt!).toISOString() }, 'a new database login was issued')
        for (const tell of subscribers) tell(next.credentials)
        void retire(id)
      })
      .finally(() => {
        replacing = undefined
      })
    return replacing
  }
  /** True: the login was renewed. False: its longest life is near, or the server does not know it any more. */
  async function renew(): Promise<boolean> {
    const { id, ttlMs, credentials } = lease
    try {
      const { found, body } = await client.request('lease-renew', (vault) =>
        vault.write(`sys/leases/renew/${id}`, { increment: Math.ceil(ttlMs / 1_000) }),
      )
      const renewedMs = Number(body?.lease_duration ?? 0) * 1_000
      if (!found || renewedMs < ttlMs / 2) return false
      credentials.expiresAt = clock.now() + renewedMs
      return true
    } catch (error) {
      if (isAway(error)) throw error
      return false
    }
  }
  const renewOrReplace = async (): Promise<void> => {
    if (!(await renew())) await replace()
  }

  async function keep(): Promise<void> {
    let retryMs = 0
    while (!closing.signal.aborted) {
      const halfMs = Math.max(1_000, (lease.credentials.expiresAt! - clock.now()) / 2)
      await clock.sleep(retryMs || halfMs, closing.signal).catch(() => {})
      if (closing.signal.aborted) return
      try {
        await renewOrReplace()
        retryMs = 0
      } catch (error) {
        retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2 || FIRST_RETRY_MS)
        log.warn({ reason: (error as Error).message }, 'the database login was not renewed; it is tried again')
      }
    }
  }
  void keep()

  return {
    async current() {
      // asked again: the database refused the login, so it may be gone
      if (opened) await renewOrReplace().catch((error) => !isAway(error) && Promise.reject(error))
      opened = true
      return lease.credentials
    },
    subscribe(changed) {
      subscribers.add(changed)
      return () => void subscribers.delete(changed)
    },
    rotate: replace,
    async close() {
      closing.abort(new Error('closing'))
      subscribers.clear()
      await Promise.all([lease.id, ...retiring].map(revoke))
    },
  }
}
