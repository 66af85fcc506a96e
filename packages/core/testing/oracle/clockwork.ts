import type { Rule } from '../../domain/engine/types.ts'
import { type Account, type Desk, instrumentOf, rulesOf } from './account.ts'
import { nextCarry } from './carry.ts'
import {
  DAY,
  datePlus,
  daysAfter,
  hasSessionIn,
  inSession,
  instantOn,
  localDay,
  sessionEndAfter,
  weekDay,
} from './clocks.ts'

/** The next instant at which time alone does something to this account, at most once each. */
export function nextInstant(account: Account): number | null {
  if (account.status !== 'started' && account.status !== 'paused') return null
  const due: (number | null)[] = [account.day.next, account.pauses.until]
  if (account.status === 'started') {
    for (const { due: clock } of account.rules) due.push(clock)
    for (const order of account.orders) due.push(order.expiresAt, order.arrivesAt)
    for (const { symbol } of account.book.positions) {
      due.push(nextCarry(instrumentOf(account.spec, symbol), account.settledTo))
    }
    for (const { symbol } of [...account.book.positions, ...account.orders]) {
      const instrument = instrumentOf(account.spec, symbol)
      for (const rule of rulesOf(account)) {
        if (rule.rule === 'weekend_flat' && instrument.session_calendar) {
          due.push(nextCutOff(rule, account.settledTo))
        }
        if (rule.rule === 'session_flat' && instrument.session_calendar) {
          due.push(nextSessionCut(account, symbol, rule.minutes, account.settledTo))
        }
      }
    }
  }
  const instants = due.filter((at) => at !== null)
  return instants.length > 0 ? Math.min(...instants) : null
}
export function nextCutOff({ zone, day, time }: { zone: string; day: number; time: string }, from: number): number {
  for (let date = localDay(zone, from - 2 * DAY); ; date = datePlus(date, 1)) {
    if (weekDay(date) !== day) continue
    const at = instantOn(zone, date, time)
    if (at > from) return at
  }
}
/** Is this the cut-off of a rule for an instrument that closes? */
export function cutsAt(account: Account, rule: Rule, symbol: string, at: number): boolean {
  if (!instrumentOf(account.spec, symbol).session_calendar) return false
  if (rule.rule === 'weekend_flat') return nextCutOff(rule, at - 1) === at
  return rule.rule === 'session_flat' && nextSessionCut(account, symbol, rule.minutes, at - 1) === at
}
/** From a cut-off to the end of the session that it cuts. */
export function isCutOff(account: Account, rule: Rule, symbol: string, at: number): boolean {
  const instrument = instrumentOf(account.spec, symbol)
  if (!instrument.session_calendar || !inSession(account.spec, instrument, at)) return false
  const end = sessionEndAfter(account.spec, instrument, at)
  if (end === null) return false
  if (rule.rule === 'session_flat') return at >= end - rule.minutes * 60_000
  if (rule.rule !== 'weekend_flat') return false
  const next = nextCutOff(rule, at)
  const cut = nextCutOff(rule, next - 8 * DAY)
  return sessionEndAfter(account.spec, instrument, cut) === end && inSession(account.spec, instrument, cut)
}
export function nextSessionCut({ spec }: Account, symbol: string, minutes: number, from: number): number | null {
  const early = minutes * 60_000
  const end = sessionEndAfter(spec, instrumentOf(spec, symbol), from + early)
  return end === null ? null : end - early
}

/** A trading day, one with a session, that ends while the account is not paused brings the limit nearer. */
export function countTradingDay({ account, at }: Desk): void {
  const { spec, day } = account
  const hasSession = spec.instruments.some((i) => hasSessionIn(spec, i, day.start, at))
  rulesOf(account).forEach((rule, i) => {
    if (rule.rule !== 'time_limit' || rule.unit !== 'trading' || account.status === 'paused' || !hasSession) return
    if (rule.from === 'first_fill' && account.firstFill === null) return
    const state = account.rules[i]!
    state.days += 1
    if (state.days >= rule.days) state.due = at
  })
}
export function setClocks(desk: Desk): void {
  const { account } = desk
  if (account.status !== 'started') return
  rulesOf(account).forEach((rule, i) => {
    const state = account.rules[i]!
    if (rule.rule === 'time_limit' && rule.unit === 'calendar' && rule.from === 'first_fill') {
      if (account.firstFill !== null) state.due ??= daysAfter(account.spec.reset_zone, account.firstFill, rule.days)
    }
    if (rule.rule === 'max_risk_per_trade' && rule.needs_stop && rule.effect !== 'gate') {
      const due = account.entries.filter((e) => e.index === i).map((e) => e.at + rule.within_s * 1000)
      state.due = due.length > 0 ? Math.min(...due) : null
    }
  })
}
