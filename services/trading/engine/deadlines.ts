import { Heaps } from './index/heaps.ts'

/** Who is due when. Many owners share few instants, resets and full hours: each instant keeps its own list. */
export class Deadlines {
  private readonly groups = new Map<number, { node: number; owners: number[] }>()
  private readonly heaps = new Heaps()
  private readonly heap = this.heaps.create()
  private readonly dueOf: (number | null)[] = []
  private readonly placeOf: number[] = []

  set(owner: number, due: number | null): void {
    const before = this.dueOf[owner] ?? null
    if (before === due) return
    if (before !== null) this.remove(owner, before)
    this.dueOf[owner] = due
    if (due === null) return
    let group = this.groups.get(due)
    if (!group) {
      group = { node: this.heaps.add(this.heap, due, 0), owners: [] }
      this.groups.set(due, group)
    }
    this.placeOf[owner] = group.owners.push(owner) - 1
  }
  private remove(owner: number, due: number): void {
    const group = this.groups.get(due)!
    const last = group.owners.pop()!
    if (last !== owner) {
      group.owners[this.placeOf[owner]!] = last
      this.placeOf[last] = this.placeOf[owner]!
    }
    if (group.owners.length === 0) this.close(due, group.node)
  }
  private close(due: number, node: number): void {
    this.heaps.release(node)
    this.groups.delete(due)
  }

  /** +Infinity when nobody is due. */
  least(): number {
    return this.heaps.least(this.heap)
  }
  /** Takes out everybody who is due up to `mts`. */
  take(mts: number): number[] {
    const due: number[] = []
    for (let at = this.least(); at <= mts; at = this.least()) {
      const { node, owners } = this.groups.get(at)!
      for (const owner of owners) {
        due.push(owner)
        this.dueOf[owner] = null
      }
      this.close(at, node)
    }
    return due
  }
}
