import { z } from 'zod'
import type { Rule } from '../../domain/rules/types.ts'
import { Detectors, NewsWindow, SessionFlat, WeekendFlat } from './rules/conduct-rules.ts'
import {
  AllowedSessions,
  AllowedSides,
  AllowedSymbols,
  MaxOpenPositions,
  MaxOrdersPerDay,
  MaxPositionSize,
  MaxTotalExposure,
  ScalingPlan,
} from './rules/exposure-rules.ts'
import {
  DailyProfitCap,
  MaxDailyLoss,
  MaxLoss,
  MaxOpenLoss,
  MaxRiskPerIdea,
  MaxRiskPerTrade,
  MinHoldingTime,
} from './rules/loss-rules.ts'
import {
  Consistency,
  Inactivity,
  MinTradingDays,
  ProfitTarget,
  TimeLimit,
  WinningDays,
} from './rules/objective-rules.ts'

/** A rule of the rule book (domain/rules/types.ts says what each field means), its defaults filled in. */
export const RuleDocument = z.discriminatedUnion('rule', [
  ProfitTarget,
  MaxDailyLoss,
  DailyProfitCap,
  MaxLoss,
  MinTradingDays,
  WinningDays,
  TimeLimit,
  Inactivity,
  Consistency,
  MaxPositionSize,
  MaxOpenPositions,
  MaxOrdersPerDay,
  MaxTotalExposure,
  ScalingPlan,
  AllowedSymbols,
  AllowedSides,
  AllowedSessions,
  MaxRiskPerTrade,
  MaxRiskPerIdea,
  MaxOpenLoss,
  MinHoldingTime,
  WeekendFlat,
  SessionFlat,
  NewsWindow,
  Detectors,
])
/** Every rule that the schema reads is one that the engine knows. */
export type RuleDocument = z.output<typeof RuleDocument> & Rule
