import type { Preview } from '@assay/core/domain/engine/orders/preview'
import { cmp, dec } from '@assay/core/domain/money/dec'

/** The breach that the order would be, else what it leaves to the floor that is nearest then; null: there is none. */
export function worstCase({ floors, breaches }: Pick<Preview, 'floors' | 'breaches'>): string | null {
  const breach = breaches.find(({ effect }) => effect === 'hard') ?? breaches[0]
  if (breach) {
    const { rule, effect, metric, value, limit } = breach
    return `Placed now, this order is a breach of ${rule} (${effect}): ${metric} ${value} against ${limit}.`
  }
  const nearest = floors
    .filter(({ rule }) => rule !== 'daily_profit_cap')
    .sort((a, b) => cmp(dec(a.distance), dec(b.distance)))[0]
  if (!nearest) return null
  const stop = nearest.stop_beyond ? '; its stop lies beyond it' : ''
  return `Filled now, this order leaves ${nearest.distance} to the ${nearest.rule} floor${stop}.`
}
