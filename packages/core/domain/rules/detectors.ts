import type { DetectorsRule } from '../engine/types.ts'
import type { RuleKind } from './kind.ts'
import { listOf } from './standing.ts'

/** Read by the jobs service from fills: the engine accepts the rule and decides nothing by it. */
export const detectors: RuleKind<DetectorsRule> = {
  standing: (rule) => listOf([], rule.detect),
}
