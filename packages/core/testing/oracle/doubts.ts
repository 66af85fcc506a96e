import type { Book, Desk, Doubt, Provisional } from './account.ts'
import type { Breaches, Line } from './breach.ts'
import type { Newest } from './market.ts'
import { isUnknown } from './value.ts'

/** A feed that an account's value hangs on is lost, until it says a price again. */
export function isLost(desk: Desk, book: Book): boolean {
  const marks = doubtfulMarks(desk)
  return book.positions.some((p) => isUnknown(desk.account.spec, p.symbol, (symbol) => marks.get(symbol)!))
}
function doubtfulMarks({ account, market }: Desk): Map<string, Newest> {
  const doubts = account.provisional ? doubtsOf(account.provisional) : []
  return new Map(
    account.spec.instruments.map(({ symbol }) => {
      const mark = structuredClone(market.of(symbol))
      const isAwaited = doubts.some((d) => d.marks.get(symbol)!.state === 'unknown')
      return [symbol, isAwaited ? { ...mark, state: 'unknown' } : mark]
    }),
  )
}
export const doubtsOf = ({ first, later }: Provisional): Doubt[] => (first ? [first, ...later] : later)
export function doubtOf(desk: Desk, { index, gap }: Line, breaches: Breaches): Doubt {
  const { account, at } = desk
  const ideas = structuredClone(account.ideas)
  return { at, book: copy(account.book), ideas, breaches, marks: doubtfulMarks(desk), index, gap }
}
export function keepDeepest(desk: Desk, line: Line, breaches: Breaches): void {
  const { provisional } = desk.account
  const kept = provisional!.later.find((d) => d.index === line.index)
  if (kept && kept.gap <= line.gap) return
  // no deeper than at the point before
  if (breaches.tested === 'always' && breaches.before[line.index]! <= line.gap) return
  const doubt = doubtOf(desk, line, breaches)
  provisional!.later = [...provisional!.later.filter((d) => d !== kept), doubt]
}
const copy = (book: Book): Book => ({ ...book, positions: book.positions.map((p) => ({ ...p })), taken: [] })
