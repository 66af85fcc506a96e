import type { AuditAction } from '../contracts/audit.ts'
import { HOUSE_TENANT } from '../contracts/scopes.ts'
import type { Clock } from '../ports/clock/port.ts'
import type { Db } from '../ports/db/port.ts'
import type { Secrets } from '../ports/secrets/port.ts'
import { recordAudit } from './audit.ts'

export interface SecretsAudit {
  /** the secrets as this service has them: what it reads and writes is noted */
  of(service: string, secrets: Secrets): Secrets
  /** tells the audit log what was noted since the last call */
  flush(): Promise<void>
}
interface Noted {
  action: AuditAction
  service: string
  path: string
  key: string
}
/** What waits to be told; beyond it the log of the secrets server itself has to do. */
const WAITING = 10_000
/** Entries of one transaction. */
const AT_ONCE = 200
const DAY_MS = 86_400_000

/**
 * Every write of a secret, and the first read on a day, by which service: path and key, never a value. Noted in memory,
 * since secrets are also read by who holds the database's only connection. Keys that never leave the store, used to
 * encrypt, are not told.
 */
export function auditSecrets({ db, clock }: { db: Db; clock: Pick<Clock, 'now'> }): SecretsAudit {
  const waiting: Noted[] = []
  const read = new Set<string>()
  let day = 0

  const note = (noted: Noted): void => {
    if (waiting.length < WAITING) waiting.push(noted)
  }
  function noteRead(noted: Noted): void {
    const today = Math.floor(clock.now() / DAY_MS)
    if (today !== day || read.size >= WAITING) read.clear()
    day = today
    const name = `${noted.service} ${noted.path} ${noted.key}`
    if (read.has(name)) return
    read.add(name)
    note(noted)
  }

  return {
    of: (service, secrets) => ({
      async getSecret(path, key) {
        const value = await secrets.getSecret(path, key)
        if (value !== null) noteRead({ action: 'secret.read', service, path, key })
        return value
      },
      async setSecret(path, key, value) {
        await secrets.setSecret(path, key, value)
        note({ action: 'secret.written', service, path, key })
      },
      async addSecret(path, key, value) {
        const kept = await secrets.addSecret(path, key, value)
        if (kept === value) note({ action: 'secret.written', service, path, key })
        else noteRead({ action: 'secret.read', service, path, key })
        return kept
      },
      async deleteSecret(path, key) {
        await secrets.deleteSecret(path, key)
        note({ action: 'secret.written', service, path, key })
      },
      listSecrets: (prefix) => secrets.listSecrets(prefix),
      encrypt: (name, plain, context) => secrets.encrypt(name, plain, context),
      decrypt: (name, sealed, context) => secrets.decrypt(name, sealed, context),
      createTotp: (name, label) => secrets.createTotp(name, label),
      generateTotp: (name) => secrets.generateTotp(name),
      verifyTotp: (name, code) => secrets.verifyTotp(name, code),
      deleteTotp: (name) => secrets.deleteTotp(name),
      databaseCredentials: () => secrets.databaseCredentials(),
      rotateDatabaseCredentials: () => secrets.rotateDatabaseCredentials(),
      away: () => secrets.away(),
      close: () => secrets.close(),
    }),
    async flush() {
      while (waiting.length > 0) {
        const told = waiting.slice(0, AT_ONCE)
        await db.tx(async (sql) => {
          for (const { action, service, path, key } of told)
            await recordAudit(sql, { action, actor: service, tenant: HOUSE_TENANT, detail: { path, key } })
        })
        waiting.splice(0, told.length)
      }
    },
  }
}
