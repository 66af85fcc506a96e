import { compare, type Difference } from './compare.ts'
import type { Item, OracleWorld } from './worlds.ts'

/** The shortest list of events and commands found that still differs, for the one account that does. */
export function shrink(world: OracleWorld, difference: Difference): { world: OracleWorld; difference: Difference } {
  let best = {
    accounts: world.accounts.filter((a) => a.account === difference.account),
    items: world.items
      .slice(0, difference.step + 1)
      .filter((item) => 'tick' in item || item.account === difference.account),
  }
  let found = compare({ ...world, ...best }).difference
  if (!found) return { world, difference }
  for (let size = Math.ceil(best.items.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < best.items.length; ) {
      const fewer = {
        ...best,
        items: best.items.filter((item, i) => i < from || i >= from + size || i === 0 || isBirth(item)),
      }
      if (fewer.items.length === best.items.length) {
        from += size
        continue
      }
      const still = compare({ ...world, ...fewer }).difference
      if (still && isAlike(still, difference)) {
        best = { ...fewer, items: fewer.items.slice(0, still.step + 1) }
        found = still
      } else from += size
    }
  }
  return { world: { ...world, ...best }, difference: found }
}
const isBirth = (item: Item): boolean =>
  'command' in item && (item.command.op === 'create' || item.command.op === 'start')
/** The same thing differs; an answer in the same way, for nearly every shorter list has some other refusal. */
const isAlike = (a: Difference, b: Difference): boolean =>
  a.what === b.what && (a.what !== 'answer' || (a.engine === b.engine && a.oracle === b.oracle))
