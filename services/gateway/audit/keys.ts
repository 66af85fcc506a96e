/** The keys that sign checkpoints of the audit log. */
import { join } from 'node:path'
import { type Keyring, openKeyring } from '@assay/core/kernel/keyring'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Secrets } from '@assay/core/ports/secrets/port'

const PATH = 'secret/data/audit-keys'
/** The default of `assay audit verify --keys`, in ASSAY_HOME. */
export const AUDIT_KEYS_FILE = 'audit-keys.json'

export const openAuditKeys = (deps: {
  secrets: Pick<Secrets, 'getSecret' | 'setSecret'>
  clock: Clock
  home: string | null
}): Promise<Keyring> =>
  openKeyring({
    secrets: deps.secrets,
    clock: deps.clock,
    path: PATH,
    file: deps.home === null ? null : join(deps.home, AUDIT_KEYS_FILE),
  })
