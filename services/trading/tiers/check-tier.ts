import { AssayError } from '@assay/core/contracts/errors'
import { specOf } from '@assay/core/contracts/wire/account-spec'
import type { TierDocument } from '@assay/core/contracts/wire/tier'
import { compileSpec } from '@assay/core/domain/engine/compile'
import { calendarsInForce } from '../calendars/calendars-in-force.ts'
import type { TradingDeps } from '../deps.ts'

/** An assessment could be made of it now: every instrument and calendar it names is there. Throws validation_failed with the place. */
export async function checkTier(deps: TradingDeps, tenant: string, tier: TierDocument): Promise<void> {
  const catalogue = (await deps.instruments()).map(({ document }) => document)
  const calendars = await calendarsInForce(deps.db, tenant)
  try {
    compileSpec(specOf(tier, catalogue, { calendars }).spec)
  } catch (error) {
    if (error instanceof RangeError) throw new AssayError('validation_failed', error.message, { cause: error })
    throw error
  }
}
/** Throws validation_failed when the preset is not one of this release, preset_not_accepted naming each parameter that still needs it. */
export function requireAccepted(deps: TradingDeps, tier: TierDocument, accepted: readonly string[]): void {
  const { preset } = tier
  if (!preset) return
  const known = deps.presets.find(({ document }) => document.id === preset.id)
  if (!known) throw refused('preset.id', `there is no preset ${preset.id}`)
  if (known.document.version !== preset.version)
    throw refused('preset.version', `${preset.id} is at version ${known.document.version}`)
  if (known.hash !== preset.hash) throw refused('preset.hash', `the content of ${preset.id} has the hash ${known.hash}`)
  const missing = known.unverified.filter((path) => !accepted.includes(path))
  if (missing.length === 0) return
  throw new AssayError(
    'preset_not_accepted',
    `Nothing supports ${missing.length} parameters of ${preset.id}: name each in accept_unverified.`,
    {
      field: 'accept_unverified',
      errors: missing.map((path) => ({ field: path, detail: 'has no source' })),
    },
  )
}
const refused = (field: string, detail: string) => new AssayError('validation_failed', `${field}: ${detail}`, { field })
