import { z } from 'zod'
import { PhaseDocument } from './tier.ts'

const Source = z.object({ title: z.string(), url: z.string().optional(), date: z.string().nullable() })
const Parameter = z.object({
  path: z.string(),
  value: z.unknown(),
  source: Source.nullable(),
  confidence: z.enum(['primary', 'secondary', 'unverified']),
  note: z.string().optional(),
})
/** A rule set with its sources (domain/presets/preset.ts): an example, no endorsement. */
export const PresetDocument = z.strictObject({
  id: z.string(),
  firm: z.string(),
  program: z.string(),
  version: z.int().min(1),
  note: z.string(),
  contradictions: z.array(z.string()),
  /** the fields of a tier that it gives; name and price are the seller's */
  tier: z.looseObject({ currency: z.string(), initial_balance: z.string(), phases: z.array(PhaseDocument) }),
  parameters: z.array(Parameter),
})

export const PresetSummary = z.object({
  id: z.string(),
  version: z.int(),
  hash: z.string(),
  firm: z.string(),
  program: z.string(),
  currency: z.string(),
  initial_balance: z.string(),
  /** parameters without a source: selling a tier made from it needs each accepted by its path */
  unverified: z.array(z.string()),
})
export type PresetSummary = z.output<typeof PresetSummary>
export const PresetResource = PresetSummary.extend({ document: PresetDocument })
export type PresetResource = z.output<typeof PresetResource>
