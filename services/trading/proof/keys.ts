/** The keys that sign journals. */
import { join } from 'node:path'
import { type Keyring, openKeyring } from '@assay/core/kernel/keyring'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Secrets } from '@assay/core/ports/secrets/port'

const PATH = 'secret/data/journal-keys'
/** The default of `assay verify --keys`, in ASSAY_HOME. */
export const KEYS_FILE = 'journal-keys.json'

export type JournalKeyring = Keyring

export const openJournalKeys = (deps: {
  secrets: Pick<Secrets, 'getSecret' | 'setSecret'>
  clock: Clock
  home: string | null
}): Promise<JournalKeyring> =>
  openKeyring({
    secrets: deps.secrets,
    clock: deps.clock,
    path: PATH,
    file: deps.home === null ? null : join(deps.home, KEYS_FILE),
  })
