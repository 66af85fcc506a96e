/** The seats of this process. */
export class Held {
  readonly #byWho = new Map<string, Set<string>>()

  /** false: `who` has `most` of this process alone */
  add(who: string, id: string, most: number): boolean {
    const ids = this.#byWho.get(who) ?? new Set()
    if (ids.size >= most) return false
    this.#byWho.set(who, ids.add(id))
    return true
  }
  /** false: it is not held any more */
  delete(who: string, id: string): boolean {
    const ids = this.#byWho.get(who)
    if (!ids?.delete(id)) return false
    if (ids.size === 0) this.#byWho.delete(who)
    return true
  }
  of(who: string): string[] {
    return [...(this.#byWho.get(who) ?? [])]
  }
  everybody(): string[] {
    return [...this.#byWho.keys()]
  }
  clear(): void {
    this.#byWho.clear()
  }
}
