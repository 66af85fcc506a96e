import type { AccountResource, RuleList } from '@assay/core/contracts/wire/account'

type RuleResource = RuleList['items'][number]

const REFRESH_MS = 250
const HOUR = 3_600_000
const BAR = 20

const bar = (fraction: string | null): string => {
  const full = Math.round(Number(fraction ?? '0') * BAR)
  return `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}]`
}
const ruleLine = (rule: RuleResource): string =>
  `  ${rule.rule.padEnd(16)} ${bar(rule.fraction)} ${rule.value ?? '-'} of ${rule.limit ?? '-'}, ${rule.remaining ?? '-'} ${rule.metric === null || rule.compare === null ? 'to go' : 'left'}`

/** Equity and the distance to each rule: redrawn in place on a terminal, a line per recorded hour elsewhere. */
export function screen(out: NodeJS.WriteStream = process.stdout) {
  let drawn = 0
  let last = 0
  let hour = -1
  return {
    /** true when it is time to draw again */
    due(mts: number): boolean {
      if (out.isTTY) return performance.now() - last >= REFRESH_MS
      return Math.floor(mts / HOUR) !== hour
    },
    draw(account: AccountResource, rules: readonly RuleResource[]): void {
      last = performance.now()
      hour = Math.floor(Date.parse(account.at) / HOUR)
      if (!out.isTTY) {
        const left = rules.map((r) => `${r.rule} ${r.remaining ?? '-'}`).join(', ')
        out.write(
          `  ${account.at}  ${account.status}  equity ${account.equity} ${account.currency}${left ? `; left: ${left}` : ''}\n`,
        )
        return
      }
      const lines = [
        `  ${account.at}  ${account.status}  equity ${account.equity}  balance ${account.balance} ${account.currency}`,
        ...rules.map(ruleLine),
      ]
      if (drawn > 0) out.write(`\x1b[${drawn}A`)
      out.write(lines.map((line) => `\x1b[2K${line}\n`).join(''))
      drawn = lines.length
    },
  }
}
