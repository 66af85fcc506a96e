import { type Page, type PageQuery, toPage } from '@assay/core/contracts/wire/page'
import type { PresetSummary } from '@assay/core/contracts/wire/preset'
import type { Verb } from '../deps.ts'
import type { PublishedPreset } from './preset-book.ts'

export const summaryOf = ({ document, hash, unverified }: PublishedPreset): PresetSummary => ({
  id: document.id,
  version: document.version,
  hash,
  firm: document.firm,
  program: document.program,
  currency: document.tier.currency,
  initial_balance: document.tier.initial_balance,
  unverified,
})

/** Rule sets of known programs with their sources, by id. */
export async function listPresets({
  input,
  deps,
}: Verb<PageQuery & { firm?: string | undefined }>): Promise<Page<PresetSummary>> {
  const all = deps.presets.filter(
    ({ document }) => document.id > (input.cursor ?? '') && (input.firm === undefined || document.firm === input.firm),
  )
  return toPage(all.slice(0, input.limit + 1), input.limit, summaryOf, ({ document }) => document.id)
}
