import { byId, type Desk } from './account.ts'
import { closing } from './carry.ts'
import { fillMarketable } from './fill.ts'
import { mul, num, text } from './number.ts'
import { equityOf, floatingOf, isOpen, isUnknown, marksOf, usedMargin } from './value.ts'

/** While equity is under the share of used margin: the largest loss is closed whole. Says whether anything was. */
export function stopOut(desk: Desk): boolean {
  const { account } = desk
  const { spec, book } = account
  if (spec.stop_out === null || account.provisional) return false
  const marks = marksOf(desk)
  const tried = new Set<string>()
  let filled = false
  for (;;) {
    if (book.positions.some((p) => isUnknown(spec, p.symbol, marks))) return filled
    const used = usedMargin(account, book, marks)
    const equity = equityOf(spec, book, marks)
    const level = mul(num(spec.stop_out), used)
    if (book.positions.length === 0 || equity >= level) return filled
    const [worst] = book.positions
      .filter((p) => !tried.has(p.id) && isOpen(desk, p.symbol))
      .map((p) => ({ p, loss: floatingOf(spec, p, marks) }))
      .sort((a, b) => (a.loss < b.loss ? -1 : a.loss > b.loss ? 1 : byId(a.p, b.p)))
    if (!worst) return filled
    const { p } = worst
    tried.add(p.id)
    if (fillMarketable(desk, book, closing(p, 'stop_out')) === 0n) continue
    filled = true
    desk.said.push({
      kind: 'stop_out',
      phase: account.phase,
      position: p.id,
      symbol: p.symbol,
      equity: text(equity),
      used: text(used),
      level: spec.stop_out,
    })
  }
}
