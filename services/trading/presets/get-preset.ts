import { AssayError } from '@assay/core/contracts/errors'
import type { PresetResource } from '@assay/core/contracts/wire/preset'
import type { Verb } from '../deps.ts'
import { summaryOf } from './list-presets.ts'

/** One preset, each parameter with source, date and confidence. */
export async function getPreset({ input, deps }: Verb<{ id: string }>): Promise<PresetResource> {
  const found = deps.presets.find(({ document }) => document.id === input.id)
  if (!found) throw new AssayError('not_found', `No preset ${input.id}.`)
  return { ...summaryOf(found), document: found.document as unknown as PresetResource['document'] }
}
