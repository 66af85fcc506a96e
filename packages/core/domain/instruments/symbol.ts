/** What a symbol's name says: `BASE/QUOTE` is spot or fx, `BASE/QUOTE:SETTLE` a perp. Null when it is neither. */
export interface SymbolParts {
  base: string
  quote: string
  settle: string | null
}
const SHAPE = /^([A-Z0-9]{2,15})\/([A-Z0-9]{2,15})(?::([A-Z0-9]{2,15}))?$/

export function parseSymbol(symbol: string): SymbolParts | null {
  const match = SHAPE.exec(symbol)
  return match ? { base: match[1]!, quote: match[2]!, settle: match[3] ?? null } : null
}
/** `BTC-USD` as in paths -> `BTC/USD`; what already has a slash stays. */
export const fromPathSymbol = (text: string): string => (text.includes('/') ? text : text.replace('-', '/'))
