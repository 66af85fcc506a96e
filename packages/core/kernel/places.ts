/**
 * What waits for an answer, by a number of its own that is used again once it was taken. A Map or Set that so much comes
 * and goes in keeps what is gone alive: JavaScriptCore makes a new table now and then, the old ones hold what they held,
 * and each the next, until a full collection. With requests in it, all that hangs on them is kept too.
 */
export class Places<T extends object> {
  readonly #held: (T | undefined)[] = []
  readonly #free: number[] = []

  put(value: T): number {
    const at = this.#free.pop() ?? this.#held.length
    this.#held[at] = value
    return at
  }
  at(at: number): T | undefined {
    return this.#held[at]
  }
  take(at: number): T | undefined {
    const value = this.#held[at]
    if (!value) return undefined
    this.#held[at] = undefined
    this.#free.push(at)
    return value
  }
  values(): T[] {
    return this.#held.filter((value) => value !== undefined)
  }
}

/** The same by a name: its Map holds names and numbers, nothing that hangs on them. */
export class NamedPlaces<T extends object> {
  readonly #numbered = new Places<T>()
  readonly #places = new Map<string, number>()

  put(name: string, value: T): void {
    this.take(name)
    this.#places.set(name, this.#numbered.put(value))
  }
  at(name: string): T | undefined {
    const place = this.#places.get(name)
    return place === undefined ? undefined : this.#numbered.at(place)
  }
  take(name: string): T | undefined {
    const place = this.#places.get(name)
    if (place === undefined) return undefined
    this.#places.delete(name)
    return this.#numbered.take(place)
  }
}
