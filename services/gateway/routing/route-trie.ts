interface Node {
  children: Map<string, Node>
  /** of a `:name` segment */
  any?: Node
  owner?: string
}

/** Whose path is this: literal segments go before named ones. Built once; a look-up costs one step per segment. */
export function createRouteTrie(
  table: Readonly<Record<string, readonly string[]>>,
): (path: string) => string | undefined {
  const root: Node = { children: new Map() }
  for (const [owner, patterns] of Object.entries(table)) {
    for (const pattern of patterns) add(root, pattern, owner)
  }
  return (path) => find(root, segments(path), 0)
}

const segments = (path: string): string[] => path.replace(/\/$/, '').split('/').slice(1)

function add(root: Node, pattern: string, owner: string): void {
  let node = root
  for (const segment of segments(pattern)) {
    let next = segment.startsWith(':') ? node.any : node.children.get(segment)
    if (!next) {
      next = { children: new Map() }
      if (segment.startsWith(':')) node.any = next
      else node.children.set(segment, next)
    }
    node = next
  }
  if (node.owner !== undefined && node.owner !== owner)
    throw new Error(`${pattern} is of ${node.owner} and of ${owner}`)
  node.owner = owner
}

function find(node: Node, parts: readonly string[], at: number): string | undefined {
  if (at === parts.length) return node.owner
  const literal = node.children.get(parts[at]!)
  const found = literal && find(literal, parts, at + 1)
  return found ?? (node.any && parts[at] !== '' ? find(node.any, parts, at + 1) : undefined)
}
