import type { Preview } from '@assay/core/domain/engine/orders/preview'
import { cmp, dec } from '@assay/core/domain/money/dec'

/** What an order that is filled now leaves to the floor that is nearest then; null: there is none. */
export function worstCase({ floors }: Pick<Preview, 'floors'>): string | null {
  const nearest = floors
    .filter(({ rule }) => rule !== 'daily_profit_cap')
    .sort((a, b) => cmp(dec(a.distance), dec(b.distance)))[0]
  if (!nearest) return null
  const { distance, rule, stop_beyond } = nearest
  if (distance.startsWith('-'))
    return `Filled now, this order is a breach: ${distance.slice(1)} beyond the ${rule} floor.`
  return `Filled now, this order leaves ${distance} to the ${rule} floor${stop_beyond ? '; its stop lies beyond it' : ''}.`
}
