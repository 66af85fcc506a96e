import { z } from 'zod'
import { parseSymbol } from '../../domain/instruments/symbol.ts'
import { CURRENCIES, ledgerScale } from '../../domain/money/currency.ts'
import { dec, str } from '../../domain/money/dec.ts'
import { isZone } from '../../domain/time/zone.ts'
import { AssayError } from '../errors.ts'
import { AtLeastOne, Fraction, NotNegative, Positive } from './decimal.ts'
import { InstrumentOverrideDocument } from './instrument.ts'
import { parseWire } from './parse.ts'
import { RuleDocument, refuseLaterRule } from './rules.ts'

const PhaseDocument = z.strictObject({
  kind: z.enum(['evaluation', 'funded']),
  rules: z.array(RuleDocument).min(1).max(32),
})

const currencies = Object.keys(CURRENCIES) as [string, ...string[]]
const finerThanLedger = (amount: string, currency: string): boolean =>
  currency in CURRENCIES && dec(str(dec(amount))).s > ledgerScale(currency)

/** A tier: what an assessment is decided by. Money and percents are strings; defaults are filled in. */
export const TierDocument = z
  .strictObject({
    name: z.string().min(1).max(120),
    currency: z.enum(currencies),
    initial_balance: Positive,
    leverage: AtLeastOne.default('1'),
    stop_out: Fraction.nullable().default(null),
    position_mode: z.enum(['netting', 'hedging']).default('netting'),
    queue_model: z.boolean().default(false),
    latency_ms: z.int().min(0).max(60_000).default(0),
    max_pauses: z.int().min(0).max(100).default(0),
    max_pause_days: z.int().min(0).max(366).default(0),
    warnings: z.array(Fraction).max(10).default(['0.5', '0.8', '0.95']),
    reset_zone: z.string().refine(isZone, 'must be an IANA time zone such as Europe/Prague').default('UTC'),
    reset_time: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a local time HH:MM')
      .default('00:00'),
    price: NotNegative.default('0'),
    fees: z.literal('preset or instrument').default('preset or instrument'),
    instruments: z.array(InstrumentOverrideDocument).max(200).default([]),
    phases: z.array(PhaseDocument).min(1).max(8),
  })
  .superRefine((tier, ctx) => {
    const refuse = (message: string, ...path: PropertyKey[]) => ctx.addIssue({ code: 'custom', path, message })
    for (const field of ['initial_balance', 'price'] as const) {
      if (finerThanLedger(tier[field], tier.currency))
        refuse(`is finer than the smallest unit of ${tier.currency}`, field)
    }
    const funded = tier.phases.findIndex((phase) => phase.kind === 'funded')
    if (funded >= 0 && funded !== tier.phases.length - 1)
      refuse('a funded phase is the last one', 'phases', funded, 'kind')
    const seen = new Set<string>()
    for (const [at, { symbol, base, quote }] of tier.instruments.entries()) {
      if (!parseSymbol(symbol) && !(base && quote))
        refuse('is not BASE/QUOTE: say base and quote', 'instruments', at, 'symbol')
      if (seen.has(symbol)) refuse(`${symbol} is there twice`, 'instruments', at, 'symbol')
      seen.add(symbol)
    }
  })
export type TierDocument = z.output<typeof TierDocument>

/** Fields of a whole tier that come later, by name. */
const LATER_FIELDS = ['max_pauses', 'max_pause_days', 'payouts', 'scaling', 'latency_ms', 'queue_model']

/**
 * A tier document from outside. Throws AssayError: `not_supported` for a rule or field that comes with a later
 * version, named with its path; `validation_failed` for what no version reads.
 */
export function parseTier(document: unknown): TierDocument {
  if (typeof document === 'object' && document !== null) {
    const fields = document as Record<string, unknown>
    for (const field of LATER_FIELDS) {
      if (field in fields) throw new AssayError('not_supported', `The field ${field} is not supported yet.`, { field })
    }
    if (fields.position_mode === 'hedging') {
      throw new AssayError('not_supported', 'position_mode hedging is not supported yet.', { field: 'position_mode' })
    }
    for (const [p, phase] of Array.isArray(fields.phases) ? fields.phases.entries() : []) {
      for (const [r, rule] of Array.isArray(phase?.rules) ? phase.rules.entries() : [])
        refuseLaterRule(rule, ['phases', p, 'rules', r])
    }
  }
  return parseWire(TierDocument, document)
}

/** What the document asks for and this version does not do; the verdict does not rest on it. */
export const notSimulated = (tier: TierDocument): string[] => (tier.stop_out === null ? [] : ['stop_out'])
