/**
 * The oracle's comparison in a short form, for one mutant: some random worlds through the engine and through the
 * slow implementation. Exit 1 at the first difference. `oracle.ts N`: so many worlds.
 */
import { compare } from '@assay/core/testing/oracle/compare'
import { worldOf } from '@assay/core/testing/oracle/worlds'

const WORLDS = Number(process.argv[2] ?? 6)
const SIZE = { accounts: 8, events: 250 }

for (let seed = 1; seed <= WORLDS; seed++) {
  const { difference } = compare(worldOf(seed, SIZE))
  if (!difference) continue
  console.log(`seed ${seed}: ${JSON.stringify(difference)}`)
  process.exit(1)
}
