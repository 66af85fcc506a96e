/** The currency table: ledger scale (decimal places of a booked amount). "One minor unit" = 10^-scale. */
export const CURRENCIES: Readonly<Record<string, number>> = {
  USD: 2,
  EUR: 2,
  GBP: 2,
  CHF: 2,
  AUD: 2,
  CAD: 2,
  JPY: 0,
  BTC: 8,
  ETH: 8,
  USDT: 8,
  USDC: 8,
}
/** Ledger scale of a currency; throws RangeError for one that is not in the table. */
export function ledgerScale(currency: string): number {
  const scale = CURRENCIES[currency]
  if (scale === undefined) throw new RangeError(`unknown currency ${currency}`)
  return scale
}
