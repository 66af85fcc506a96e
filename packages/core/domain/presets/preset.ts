/**
 * Presets: the rules of one program of one firm as an example, each parameter with where it was read, when, and how
 * sure that is. Files `presets/*.json` at the root of the repository; nothing here endorses a firm.
 */
import { canonical } from '../journal/canonical.ts'
import { sha256Hex } from '../journal/hash.ts'
import type { Phase, Rule } from '../rules/types.ts'

/** primary: the firm's own page or rules; secondary: somebody who wrote about it; unverified: nothing that we found says so. */
export type Confidence = 'primary' | 'secondary' | 'unverified'
export interface PresetSource {
  title: string
  /** absent: the title is a document of ours or a printed one */
  url?: string
  /** of the page as it was read: YYYY, YYYY-MM or YYYY-MM-DD; null: it says none */
  date: string | null
}
export interface PresetParameter {
  /** place in the tier: `phases[0].rules[1].limit.pct` */
  path: string
  value: unknown
  /** null exactly when unverified */
  source: PresetSource | null
  confidence: Confidence
  note?: string
}
/** A tier's document as presets give it: name and price are the seller's. */
export interface PresetTier {
  currency: string
  initial_balance: string
  reset_zone: string
  reset_time: string
  leverage?: string
  phases: Phase[]
  [field: string]: unknown
}
export interface Preset {
  /** equal to the file's name */
  id: string
  firm: string
  program: string
  version: number
  note: string
  /** where sources disagree, in words */
  contradictions: string[]
  tier: PresetTier
  parameters: PresetParameter[]
}

/** Every value in a document by its path; lists of plain values are one value. */
function leaves(value: unknown, path: string): { path: string; value: unknown }[] {
  const plain = (v: unknown) => v === null || typeof v !== 'object'
  if (plain(value) || (Array.isArray(value) && value.every(plain))) return [{ path, value }]
  if (Array.isArray(value)) return value.flatMap((item, at) => leaves(item, `${path}[${at}]`))
  return Object.entries(value as object).flatMap(([name, item]) => leaves(item, path ? `${path}.${name}` : name))
}
/** Rules whose effect has one legal value: it is no parameter. */
const ONE_EFFECT: ReadonlySet<Rule['rule']> = new Set([
  'profit_target',
  'min_trading_days',
  'winning_days',
  'time_limit',
  'consistency',
  'max_position_size',
  'max_open_positions',
  'max_orders_per_day',
  'max_total_exposure',
  'scaling_plan',
  'allowed_symbols',
  'allowed_sides',
  'allowed_sessions',
  'detectors',
] as const)
/** A rule's name and a phase's kind say which parameters there are, they are none themselves. */
function isParameter(path: string, { phases }: PresetTier): boolean {
  const [, phase, rest] = /^phases\[(\d+)\]\.(.+)$/.exec(path) ?? []
  if (rest === undefined) return true
  const [, rule, field] = /^rules\[(\d+)\]\.(.+)$/.exec(rest) ?? []
  if (field === undefined || field === 'rule') return false
  return field !== 'effect' || !ONE_EFFECT.has(phases[Number(phase)]!.rules[Number(rule)]!.rule)
}

/** What a preset must have an entry for: every parameter of every rule, and what else its tier says. */
export const parametersOf = (tier: PresetTier): { path: string; value: unknown }[] =>
  leaves(tier, '').filter(({ path }) => isParameter(path, tier))

/** What is wrong with a preset, in sentences that name the path; empty when it is sound. */
export function presetFaults(preset: Preset): string[] {
  const faults: string[] = []
  const said = new Map(preset.parameters.map((parameter) => [parameter.path, parameter]))
  if (said.size < preset.parameters.length) faults.push('parameters: a path is there twice')
  const wanted = new Map(parametersOf(preset.tier).map(({ path, value }) => [path, value]))
  for (const [path, value] of wanted) {
    const parameter = said.get(path)
    if (!parameter) faults.push(`${path}: has no entry in parameters`)
    else if (canonical(parameter.value) !== canonical(value)) faults.push(`${path}: its entry has another value`)
  }
  for (const { path, source, confidence } of preset.parameters) {
    if (!wanted.has(path)) faults.push(`${path}: is not in the tier`)
    if ((source === null) !== (confidence === 'unverified'))
      faults.push(`${path}: ${source === null ? 'a confidence without a source' : 'a source without a confidence'}`)
    if (source && source.title.trim() === '') faults.push(`${path}: its source has no title`)
  }
  return faults
}

/** Paths that nothing supports: an operator accepts each by name before a tier of this preset is sold. */
export const unverifiedOf = (preset: Preset): string[] =>
  preset.parameters.filter(({ confidence }) => confidence === 'unverified').map(({ path }) => path)

/** Content hash of a preset, hex: purchases pin it, a later version never changes a running assessment. */
export const presetHash = (preset: Preset, hash: (text: string) => string = sha256Hex): string =>
  hash(canonical(preset))
