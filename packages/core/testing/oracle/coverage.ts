import type { Account, Decision } from './account.ts'

/** What a decision shows that the worlds reach. */
export function covers(decision: Decision, account: Account): string[] {
  const rules = account.spec.phases[decision.phase as number]?.rules ?? []
  const rule = typeof decision.index === 'number' ? rules[decision.index] : undefined
  switch (decision.kind) {
    case 'fill': {
      const id = String(decision.order)
      const house = ['close', 'lock', 'flat', 'stop_out', 'settlement'].includes(id) ? id : ''
      return [`fill ${house || decision.liquidity}`]
    }
    case 'order':
      return [`order ${decision.status}${decision.reason ? ` ${decision.reason}` : ''}`]
    case 'violation':
      return [`violation ${rule!.rule} ${rule!.effect}${decision.provisional ? ' provisional' : ''}`]
    case 'warning':
      return [`warning ${rule!.rule}`]
    case 'verdict':
      return [`verdict ${decision.verdict}`]
    case 'carry':
      return [`carry ${decision.what}`]
    case 'lock':
      return [decision.index === null ? 'unlock' : `lock ${rule!.rule}`]
    default:
      return [decision.kind]
  }
}
