import { parseSymbol } from '@assay/core/domain/instruments/symbol'

const FIAT = [
  'USD',
  'EUR',
  'GBP',
  'JPY',
  'CHF',
  'AUD',
  'CAD',
  'NZD',
  'SEK',
  'NOK',
  'DKK',
  'PLN',
  'CZK',
  'HUF',
  'TRY',
  'ZAR',
  'MXN',
  'SGD',
  'HKD',
  'CNH',
  'BRL',
  'KRW',
  'INR',
]
const CRYPTO = [
  'BTC',
  'XBT',
  'ETH',
  'XRP',
  'SOL',
  'BNB',
  'ADA',
  'DOGE',
  'LTC',
  'BCH',
  'DOT',
  'LINK',
  'AVAX',
  'TRX',
  'XLM',
  'EOS',
  'ETC',
  'XMR',
  'TON',
  'SUI',
  'NEO',
  'XTZ',
]
const METALS = ['XAU', 'XAG', 'XPT', 'XPD']
/** longest first: USDT before USD */
const QUOTES = ['USDT', 'USDC', 'FDUSD', 'BUSD', 'TUSD', ...FIAT, 'BTC', 'ETH', 'BNB'].sort(
  (a, b) => b.length - a.length,
)
const KNOWN = new Set([...FIAT, ...CRYPTO, ...METALS, ...QUOTES])

export const isFiat = (currency: string): boolean => FIAT.includes(currency) || METALS.includes(currency)

/** A venue's or a person's spelling of a pair (`btc-usdt`, `EURUSD`, `BTC/USDT:USDT`) as our symbol, or null. */
export function symbolFrom(text: string): string | null {
  const upper = text.trim().toUpperCase()
  if (upper.includes('/')) return parseSymbol(upper) ? upper : null
  const pair = /^([A-Z0-9]{2,15})[-_ ]([A-Z0-9]{2,15})$/.exec(upper)
  if (pair) return QUOTES.includes(pair[2]!) ? `${pair[1]}/${pair[2]}` : null
  return joined(upper, () => true)
}
function joined(upper: string, known: (base: string) => boolean): string | null {
  if (!/^[A-Z0-9]{4,20}$/.test(upper)) return null
  const quote = QUOTES.find((q) => upper.endsWith(q) && upper.length - q.length >= 2)
  if (!quote) return null
  const base = upper.slice(0, -quote.length)
  return known(base) ? `${base}/${quote}` : null
}

export interface NamedSymbol {
  symbol: string
  /** what was taken without being said */
  assumed?: string
}
/** The pair in a file's name: `xrp-eth-trades.json`, `DAT_ASCII_EURUSD_T.csv`, `btc-perp-1m.csv`; null when there is none. */
export function symbolInName(path: string): NamedSymbol | null {
  const words = path
    .replace(/^.*[/\\]/, '')
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter(Boolean)
  for (const [i, word] of words.entries()) {
    const next = words[i + 1] ?? ''
    const perp = words.slice(i + 1, i + 3).some((w) => w === 'PERP' || w === 'SWAP' || w === 'PERPETUAL')
    if (KNOWN.has(word) && QUOTES.includes(next))
      return { symbol: perp ? `${word}/${next}:${next}` : `${word}/${next}` }
    const pair = joined(word, (base) => KNOWN.has(base) || word.endsWith('USDT'))
    if (pair) return { symbol: pair }
    if (KNOWN.has(word) && perp)
      return { symbol: `${word}/USD:USD`, assumed: `its name gives no quote currency: taking ${word}/USD:USD` }
  }
  return null
}
