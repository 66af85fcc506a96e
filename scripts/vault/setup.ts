import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../options.ts'
import { sealStatus, type VaultAdmin, VaultRefusal } from './admin.ts'
import { type DatabaseLogin, setUpDatabase } from './database.ts'
import { logins, policyName, policyOf } from './policy.ts'

export interface SetupOptions {
  vault: VaultAdmin
  /** how the server makes database logins; absent: left as it is */
  database?: DatabaseLogin
  /** where the services' logins are written, NAME.env each */
  folder: string
  /** new secret ids although there are files */
  renew: boolean
  progress: (line: string) => void
}
const ENGINES = [
  { path: 'secret', type: 'kv', options: { version: '2' } },
  { path: 'database', type: 'database' },
  { path: 'totp', type: 'totp' },
  { path: 'transit', type: 'transit' },
] as const

/** Everything the services need; what is there already stays. True: nothing is left to do by hand. */
export async function setUpVault(options: SetupOptions): Promise<boolean> {
  const { vault, database, progress } = options
  const { initialized, sealed } = await sealStatus(vault)
  if (!initialized) throw new UsageError(`${vault.address} is not initialised: docs/runbooks/vault.md, "A new server"`)
  if (sealed) throw new UsageError(`${vault.address} is sealed: docs/runbooks/vault.md, "Unseal"`)
  await mountEngines(vault, progress)
  if (database) await setUpDatabase(vault, database, progress)
  await makeLogins(options)
  return auditDevice(vault, progress)
}

async function mountEngines(vault: VaultAdmin, progress: SetupOptions['progress']): Promise<void> {
  const { data: mounted } = await vault.call('GET', 'sys/mounts')
  for (const { path, ...engine } of ENGINES) {
    const there = mounted[`${path}/`]
    if (!there) {
      await vault.call('POST', `sys/mounts/${path}`, engine)
      if (engine.type === 'kv') await untilVersioned(vault, path)
      progress(`mounted ${engine.type} at ${path}`)
    } else if (there.type !== engine.type || (engine.type === 'kv' && there.options?.version !== '2')) {
      throw new UsageError(
        `${path} is mounted as ${there.type} ${there.options?.version ?? ''}, not ${engine.type}: move it away`,
      )
    } else progress(`${path} is there`)
  }
}

/** A new engine refuses everything while it makes itself versioned: services that start now would not. */
async function untilVersioned(vault: VaultAdmin, path: string): Promise<void> {
  for (const end = performance.now() + VERSIONED_MS; ; await Bun.sleep(50)) {
    const refusal = await vault.call('GET', `${path}/config`).then(
      () => null,
      (error) => error,
    )
    if (!refusal) return
    // 400 is its word for not yet; what may not be asked stays so
    if (!(refusal instanceof VaultRefusal) || refusal.status !== 400 || performance.now() > end) throw refusal
  }
}

async function makeLogins({ vault, folder, renew, progress }: SetupOptions): Promise<void> {
  const { data: methods } = await vault.call('GET', 'sys/auth')
  if (!methods['approle/']) await vault.call('POST', 'sys/auth/approle', { type: 'approle' })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const name of logins()) {
    const policy = policyName(name)
    await vault.call('PUT', `sys/policies/acl/${policy}`, { policy: policyOf(name) })
    await vault.call('POST', `auth/approle/role/${policy}`, {
      token_policies: [policy],
      token_ttl: '1h',
      token_max_ttl: '24h',
      secret_id_ttl: 0,
      bind_secret_id: true,
    })
    const file = join(folder, `${name}.env`)
    if (existsSync(file) && !renew) {
      progress(`policy and AppRole ${policy}; ${file} stays`)
      continue
    }
    const role = await vault.call('GET', `auth/approle/role/${policy}/role-id`)
    const secret = await vault.call('POST', `auth/approle/role/${policy}/secret-id`, {})
    const lines = [
      `VAULT_ADDR=${vault.address}`,
      `VAULT_ROLE_ID=${role.data.role_id}`,
      `VAULT_SECRET_ID=${secret.data.secret_id}`,
    ]
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 })
    progress(`policy and AppRole ${policy}; login in ${file}`)
  }
}

/** OpenBao takes audit devices from its configuration file alone. */
async function auditDevice(vault: VaultAdmin, progress: SetupOptions['progress']): Promise<boolean> {
  const { data: devices } = await vault.call('GET', 'sys/audit')
  const file = Object.values(devices as Record<string, { type: string; options?: { file_path?: string } }>).find(
    ({ type }) => type === 'file',
  )
  if (file) {
    progress(`audit file ${file.options?.file_path ?? ''}`)
    return true
  }
  try {
    await vault.call('PUT', 'sys/audit/file', { type: 'file', options: { file_path: AUDIT_FILE } })
    progress(`audit file ${AUDIT_FILE}`)
    return true
  } catch (error) {
    if (!(error instanceof VaultRefusal)) throw error
    progress(`MISSING  no audit file: ${error.message}`)
    progress(
      `         add to the server's configuration: audit "file" "file" { options = { file_path = "${AUDIT_FILE}" } }`,
    )
    return false
  }
}
const VERSIONED_MS = 15_000
const AUDIT_FILE = '/var/log/assay-vault-audit.log'
