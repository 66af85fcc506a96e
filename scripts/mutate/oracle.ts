/**
 * The oracle's comparison in a short form, for one mutant: some random worlds through the engine and through the
 * slow implementation. Exit 1 at the first difference. `oracle.ts N`: so many worlds.
 */
import { compare } from '@assay/core/testing/oracle/compare'
import { type Item, type OracleWorld, worldOf } from '@assay/core/testing/oracle/worlds'

const WORLDS = Number(process.argv[2] ?? 6)
const SIZE = { accounts: 8, events: 250 }

/** Outcomes are settled while they are still held: random worlds seldom get to it. */
function withSettlements({ items, ...world }: OracleWorld): OracleWorld {
  const place = Math.floor(items.length * 0.7)
  const last = items.slice(0, place).findLast((item) => 'tick' in item)
  const ends: Item[] = ['YES/USD', 'NOO/USD']
    .filter((symbol) => world.accounts[0]!.spec.instruments.some((i) => i.symbol === symbol))
    .map((symbol, i) => ({
      tick: {
        kind: 'symbol_state',
        symbol,
        venue: 'test',
        ts: last!.tick.ts,
        pos: 0,
        state: 'settled',
        price: String(i),
      },
    }))
  return { ...world, items: items.toSpliced(place, 0, ...ends) }
}

for (let seed = 1; seed <= WORLDS; seed++) {
  const { difference } = compare(withSettlements(worldOf(seed, SIZE)))
  if (!difference) continue
  console.log(`seed ${seed}: ${JSON.stringify(difference)}`)
  process.exit(1)
}
