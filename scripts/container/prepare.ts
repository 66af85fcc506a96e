import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { environment, readConfig } from '@assay/core/kernel/config'
import { openLocalCa, writeCredentials } from '@assay/core/kernel/local-ca'
import { planProcesses } from '../supervise/plan.ts'
import { prepareStores } from '../supervise/prepare.ts'
import { vaultAdmin } from '../vault/admin.ts'
import { setUpVault } from '../vault/setup.ts'
import { administratorToken } from './administrator.ts'

/**
 * Once before the services: the newest schema, the secrets server's engines and logins, and for each process a folder
 * with its certificate and its login, which it alone mounts. Run again it renews the certificates and keeps the rest.
 */
const AUTHORITY = '/authority'
const CREDENTIALS = '/credentials'
const CERTIFICATE_MS = 90 * 86_400_000

const env = environment()
const { VAULT_ADDR, ...stores } = env
await prepareStores(stores, console.log)
const { platform } = readConfig(stores)

const logins = join(AUTHORITY, 'logins')
const VAULT_TOKEN = await administratorToken(env, AUTHORITY)
await setUpVault({ vault: vaultAdmin({ ...env, VAULT_TOKEN }), folder: logins, renew: false, progress: console.log })

const ca = await openLocalCa(join(AUTHORITY, 'ca'))
for (const { service, instance } of planProcesses({
  home: platform.ASSAY_HOME,
  env,
  replicas: platform.ASSAY_REPLICAS,
  basePort: 8000,
})) {
  const folder = join(CREDENTIALS, instance)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeCredentials(folder, 'service', await ca.issue(service, CERTIFICATE_MS))
  copyFileSync(join(logins, `${service}.env`), join(folder, 'vault.env'))
  console.log(`${instance}: certificate and login`)
}
