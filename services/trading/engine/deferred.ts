import type { MarketView } from '@assay/core/domain/engine/view'

/** A deadline of many owners that decides nothing: the market as it stood then. */
export interface Deferral {
  mts: number
  view: MarketView
}
interface Group extends Deferral {
  owners: readonly number[]
  next: number
  left: number
}

/** Deadline steps that are put off: an owner has one at most, the oldest comes first. */
export class Deferred {
  private readonly groups: Group[] = []
  private readonly groupOf: (Group | undefined)[] = []

  add(owners: readonly number[], mts: number, view: MarketView): void {
    const group = { owners, mts, view, next: 0, left: owners.length }
    this.groups.push(group)
    for (const owner of owners) this.groupOf[owner] = group
  }
  of(owner: number): Deferral | undefined {
    return this.groupOf[owner]
  }
  /** The owner's step was taken, or the owner is gone. */
  remove(owner: number): void {
    const group = this.groupOf[owner]
    if (!group) return
    this.groupOf[owner] = undefined
    group.left--
    while (this.groups.length > 0 && this.groups[0]!.left === 0) this.groups.shift()
  }
  /** The owner that waits longest; undefined when none does. */
  first(): number | undefined {
    const group = this.groups[0]
    if (!group) return undefined
    while (this.groupOf[group.owners[group.next]!] !== group) group.next++
    return group.owners[group.next]
  }
  /** Event before the oldest deadline that waits, +Infinity when none does. */
  get mseq(): number {
    return this.groups[0]?.view.mseq ?? Number.POSITIVE_INFINITY
  }
}
