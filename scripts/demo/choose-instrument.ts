import type { Instrument } from '@assay/core/domain/instruments/instrument'
import { UsageError } from '../options.ts'
import type { Client } from './client.ts'

export interface Choice {
  instrument: Instrument
  /** of the account */
  currency: string
}
/** The symbol's instrument and the account's currency; UsageError names the option that this market cannot serve. */
export async function chooseInstrument(api: Client, asked: { symbol: string; currency?: string }): Promise<Choice> {
  const { items } = await api.get<{ items: { symbol: string; instrument: Instrument }[] }>('/api/market/symbols')
  const instrument = items.find(({ symbol }) => symbol === asked.symbol)?.instrument
  if (!instrument)
    throw new UsageError(`--symbol ${asked.symbol}: this market has ${items.map(({ symbol }) => symbol).join(', ')}`)
  const currency = asked.currency?.toUpperCase() ?? instrument.quote
  const path = currency === instrument.quote ? [] : instrument.conversions[currency]
  if (!path) throw new UsageError(`--currency ${currency}: ${asked.symbol} has no conversion path to it`)
  const unquoted = path.find((step) => !items.some(({ symbol }) => symbol === step.symbol))
  if (unquoted)
    throw new UsageError(
      `--currency ${currency}: it converts through ${unquoted.symbol}, which this market does not quote`,
    )
  return { instrument, currency }
}
