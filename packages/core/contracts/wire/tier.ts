import { z } from 'zod'
import { parseSymbol } from '../../domain/instruments/symbol.ts'
import { CURRENCIES, ledgerScale } from '../../domain/money/currency.ts'
import { cmp, dec, isDec, str } from '../../domain/money/dec.ts'
import { CalendarDocument } from './calendar.ts'
import { AtLeastOne, Fraction, NotNegative, Positive } from './decimal.ts'
import { InstrumentOverrideDocument } from './instrument.ts'
import { parseWire } from './parse.ts'
import { time, zone } from './rules/limit.ts'
import { RuleDocument } from './rules.ts'

export const PhaseDocument = z
  .strictObject({ kind: z.enum(['evaluation', 'funded']), rules: z.array(RuleDocument).min(1).max(32) })
  .superRefine(({ rules }, ctx) => {
    const targets = rules.filter(({ rule }) => rule === 'profit_target').length
    for (const [i, rule] of rules.entries()) {
      if (rule.rule === 'max_loss' && rule.lock?.at === 'target' && targets !== 1)
        ctx.addIssue({ code: 'custom', path: ['rules', i, 'lock'], message: 'needs one profit_target in its phase' })
      if (rule.rule === 'consistency' && (rule.basis === 'target' || rule.basis === 'trade') && targets !== 1)
        ctx.addIssue({ code: 'custom', path: ['rules', i, 'basis'], message: 'needs one profit_target in its phase' })
    }
  })

const currencies = Object.keys(CURRENCIES) as [string, ...string[]]
const finerThanLedger = (amount: string, currency: string): boolean =>
  isDec(amount) && currency in CURRENCIES && dec(str(dec(amount))).s > ledgerScale(currency)

/** The preset that a tier was made from: its content is pinned with every purchase. */
export const PresetReference = z.strictObject({
  id: z.string().min(1).max(64),
  version: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/, 'must be a content hash'),
})

/** Fields of a tier, before what they must agree on is looked at. */
export const tierFields = {
  name: z.string().min(1).max(120),
  currency: z.enum(currencies),
  initial_balance: Positive,
  leverage: AtLeastOne.default('1'),
  stop_out: Fraction.nullable().default('0.5'),
  position_mode: z.enum(['netting', 'hedging']).default('netting'),
  queue_model: z.boolean().default(false),
  latency_ms: z.int().min(0).max(60_000).default(0),
  max_pauses: z.int().min(0).max(100).default(0),
  max_pause_days: z.int().min(0).max(366).default(0),
  warnings: z.array(Fraction).max(10).default(['0.5', '0.8', '0.95']),
  reset_zone: zone.default('UTC'),
  reset_time: time.default('00:00'),
  price: NotNegative.default('0'),
  fees: z.literal('preset or instrument').default('preset or instrument'),
  instruments: z.array(InstrumentOverrideDocument).max(200).default([]),
  /** documents of its own; every other name is looked up among the calendars in force when an assessment is made */
  calendars: z.array(CalendarDocument).max(50).default([]),
  preset: PresetReference.optional(),
  phases: z.array(PhaseDocument).min(1).max(8),
}
type Fields = z.output<z.ZodObject<typeof tierFields>>

function agree(tier: Fields, ctx: z.core.$RefinementCtx): void {
  const refuse = (message: string, ...path: PropertyKey[]) => ctx.addIssue({ code: 'custom', path, message })
  for (const field of ['initial_balance', 'price'] as const) {
    if (finerThanLedger(tier[field], tier.currency))
      refuse(`is finer than the smallest unit of ${tier.currency}`, field)
  }
  const funded = tier.phases.findIndex((phase) => phase.kind === 'funded')
  if (funded >= 0 && funded !== tier.phases.length - 1)
    refuse('a funded phase is the last one', 'phases', funded, 'kind')
  for (const [i, fraction] of tier.warnings.entries()) {
    const before = tier.warnings[i - 1]
    if (before !== undefined && isDec(before) && isDec(fraction) && cmp(dec(fraction), dec(before)) <= 0)
      refuse('must be above the one before', 'warnings', i)
  }
  if (tier.max_pauses > 0 !== tier.max_pause_days > 0)
    refuse('max_pauses and max_pause_days go together', tier.max_pauses > 0 ? 'max_pause_days' : 'max_pauses')
  once(tier.calendars, ({ name }) => name, 'calendars', 'name', refuse)
  once(tier.instruments, ({ symbol }) => symbol, 'instruments', 'symbol', refuse)
  for (const [at, { symbol, base, quote }] of tier.instruments.entries()) {
    if (!parseSymbol(symbol) && !(base && quote))
      refuse('is not BASE/QUOTE: say base and quote', 'instruments', at, 'symbol')
  }
}
function once<T>(
  list: readonly T[],
  name: (item: T) => string,
  field: string,
  key: string,
  refuse: (message: string, ...path: PropertyKey[]) => void,
): void {
  const seen = new Set<string>()
  for (const [at, item] of list.entries()) {
    if (seen.has(name(item))) refuse(`${name(item)} is there twice`, field, at, key)
    seen.add(name(item))
  }
}

/** A tier: what an assessment is decided by. Money and percents are strings; defaults are filled in. */
export const TierDocument = z.strictObject(tierFields).superRefine(agree)
export type TierDocument = z.output<typeof TierDocument>

/** The parameters of its preset that have no source, each accepted by its path. */
export const AcceptUnverified = z.array(z.string().min(1).max(200)).max(500)
/** POST tiers: a tier document, under the id that is said or its name. */
export const TierRequest = z
  .strictObject({
    ...tierFields,
    id: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be of lower case letters, digits and dashes')
      .optional(),
    accept_unverified: AcceptUnverified.optional(),
  })
  .superRefine(agree)
export type TierRequest = z.output<typeof TierRequest>
/** PATCH tiers: fields of the document to replace, whole; the outcome is read as a tier document. */
export const TierChange = z.looseObject({ accept_unverified: AcceptUnverified.optional() })
export type TierChange = z.output<typeof TierChange>

/** A tier document from outside. Throws AssayError validation_failed that names each field with its path. */
export const parseTier = (document: unknown): TierDocument => parseWire(TierDocument, document)

/** Rules that are read from fills elsewhere, never by the engine: no verdict rests on them. */
export const notSimulated = (tier: TierDocument): string[] =>
  tier.phases.some(({ rules }) => rules.some(({ rule }) => rule === 'detectors')) ? ['detectors'] : []
