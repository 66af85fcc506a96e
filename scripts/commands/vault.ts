import { join } from 'node:path'
import { environment, readConfig } from '@assay/core/kernel/config'
import { parseOptions, UsageError } from '../options.ts'
import { vaultAdmin } from '../vault/admin.ts'
import { setUpVault } from '../vault/setup.ts'
import { tellStatus } from '../vault/status.ts'

export const summary =
  'setup [--database URL] [--owner ROLE] [--out FOLDER] [--renew] | status: prepares Vault or OpenBao for the services; VAULT_ADDR, VAULT_TOKEN'

const OPTIONS = {
  database: { type: 'string' },
  owner: { type: 'string', default: 'assay' },
  out: { type: 'string' },
  renew: { type: 'boolean', default: false },
} as const

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseOptions(argv, OPTIONS)
  const [verb, ...rest] = positionals
  if (rest.length > 0 || (verb !== 'setup' && verb !== 'status')) throw new UsageError('say setup or status')
  const env = environment()
  const vault = vaultAdmin(env)
  if (verb === 'status') return (await tellStatus(vault, console.log)) ? 0 : 1
  if (!env.VAULT_TOKEN) throw new UsageError("set VAULT_TOKEN to an administrator's token; it is not stored")
  const whole = await setUpVault({
    vault,
    folder: values.out ?? join(homeOf(env), 'vault'),
    renew: values.renew,
    progress: console.log,
    ...(values.database && { database: { url: values.database, owner: values.owner } }),
  })
  console.log(whole ? 'done; services log in with the files above' : 'not whole: see what is MISSING above')
  return whole ? 0 : 1
}

/** Only the folder: the rest of the environment may be a service's. */
const homeOf = ({ ASSAY_HOME }: ReturnType<typeof environment>): string =>
  readConfig(ASSAY_HOME ? { ASSAY_HOME } : {}).platform.ASSAY_HOME
