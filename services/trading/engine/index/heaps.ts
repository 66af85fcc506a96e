/**
 * Many min-heaps over one pool of nodes. A node is a key and an owner; it knows its heap and place, so removing it is
 * O(log n) and nothing is left behind. Typed arrays only: no allocation while nothing grows.
 */
export class Heaps {
  private keys = new Float64Array(1024)
  private owners = new Int32Array(1024)
  private heapOf = new Int32Array(1024)
  private placeOf = new Int32Array(1024)
  private free: number[] = []
  private used = 0
  private readonly heaps: { nodes: Int32Array; size: number }[] = []

  create(): number {
    return this.heaps.push({ nodes: new Int32Array(16), size: 0 }) - 1
  }
  size(heap: number): number {
    return this.heaps[heap]!.size
  }
  /** The least key, +Infinity when empty. */
  least(heap: number): number {
    const h = this.heaps[heap]!
    return h.size === 0 ? Number.POSITIVE_INFINITY : this.keys[h.nodes[0]!]!
  }
  ownerOfLeast(heap: number): number {
    return this.owners[this.heaps[heap]!.nodes[0]!]!
  }
  /** Takes the least node out of its heap; it stays its owner's until `release`. */
  popLeast(heap: number): void {
    this.unlink(this.heaps[heap]!.nodes[0]!)
  }

  add(heap: number, key: number, owner: number): number {
    const node = this.free.pop() ?? this.grow()
    this.keys[node] = key
    this.owners[node] = owner
    this.heapOf[node] = heap
    const h = this.heaps[heap]!
    if (h.size === h.nodes.length) {
      const nodes = new Int32Array(h.size * 2)
      nodes.set(h.nodes)
      h.nodes = nodes
    }
    h.size++
    this.up(h.nodes, h.size - 1, node)
    return node
  }
  release(node: number): void {
    if (this.placeOf[node]! >= 0) this.unlink(node)
    this.free.push(node)
  }
  keyOf(node: number): number {
    return this.keys[node]!
  }
  heapOfNode(node: number): number {
    return this.heapOf[node]!
  }
  isLinked(node: number): boolean {
    return this.placeOf[node]! >= 0
  }

  private unlink(node: number): void {
    const h = this.heaps[this.heapOf[node]!]!
    const place = this.placeOf[node]!
    this.placeOf[node] = -1
    h.size--
    if (place === h.size) return
    const moved = h.nodes[h.size]!
    this.up(h.nodes, place, moved)
    if (this.placeOf[moved] === place) this.down(h.nodes, h.size, place, moved)
  }
  private up(nodes: Int32Array, from: number, node: number): void {
    const { keys, placeOf } = this
    const key = keys[node]!
    let i = from
    while (i > 0) {
      const parent = (i - 1) >> 1
      const other = nodes[parent]!
      if (keys[other]! <= key) break
      nodes[i] = other
      placeOf[other] = i
      i = parent
    }
    nodes[i] = node
    placeOf[node] = i
  }
  private down(nodes: Int32Array, size: number, from: number, node: number): void {
    const { keys, placeOf } = this
    const key = keys[node]!
    let i = from
    for (;;) {
      let child = 2 * i + 1
      if (child >= size) break
      if (child + 1 < size && keys[nodes[child + 1]!]! < keys[nodes[child]!]!) child++
      const other = nodes[child]!
      if (keys[other]! >= key) break
      nodes[i] = other
      placeOf[other] = i
      i = child
    }
    nodes[i] = node
    placeOf[node] = i
  }
  private grow(): number {
    if (this.used === this.keys.length) {
      const size = this.used * 2
      const wider = <T extends Int32Array | Float64Array>(old: T, fresh: T): T => {
        fresh.set(old)
        return fresh
      }
      this.keys = wider(this.keys, new Float64Array(size))
      this.owners = wider(this.owners, new Int32Array(size))
      this.heapOf = wider(this.heapOf, new Int32Array(size))
      this.placeOf = wider(this.placeOf, new Int32Array(size))
    }
    return this.used++
  }
}
