import { DATABASE_ROLE } from '@assay/core/contracts/secrets'
import { sealStatus, type VaultAdmin, VaultRefusal } from './admin.ts'
import { logins, policyName } from './policy.ts'

/** What is there and what lacks, a line each; true: nothing lacks. */
export async function tellStatus(vault: VaultAdmin, say: (line: string) => void): Promise<boolean> {
  const { initialized, sealed, version, threshold, progress } = await sealStatus(vault)
  const state = !initialized
    ? 'not initialised'
    : sealed
      ? `sealed, ${progress} of ${threshold} keys given`
      : 'unsealed'
  say(`${vault.address}  ${version}, ${state}`)
  if (!initialized || sealed) return false
  let whole = true
  const line = (name: string, there: boolean | null) => {
    if (there === false) whole = false
    say(`${there === null ? 'unknown' : there ? 'ok     ' : 'MISSING'}  ${name}`)
  }
  const mounts = await look(vault, 'sys/mounts')
  for (const path of ['secret', 'database', 'totp', 'transit'])
    line(`engine ${path}`, mounts && Boolean(mounts.data[`${path}/`]))
  line(`database role ${DATABASE_ROLE}`, await exists(vault, `database/roles/${DATABASE_ROLE}`))
  for (const name of logins()) {
    line(`policy ${policyName(name)}`, await exists(vault, `sys/policies/acl/${policyName(name)}`))
    line(`AppRole ${policyName(name)}`, await exists(vault, `auth/approle/role/${policyName(name)}`))
  }
  const audit = await look(vault, 'sys/audit')
  line('file audit device', audit && Object.values(audit.data as object).some(({ type }) => type === 'file'))
  return whole
}

/** undefined: refused; who asks with a service's login sees less. */
async function look(vault: VaultAdmin, path: string) {
  try {
    return await vault.call('GET', path)
  } catch (error) {
    if (error instanceof VaultRefusal && error.status === 403) return undefined
    throw error
  }
}
async function exists(vault: VaultAdmin, path: string): Promise<boolean | null> {
  const found = await look(vault, path)
  return found === undefined ? null : found !== null
}
