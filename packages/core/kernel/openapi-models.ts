/** Shorter than this a schema is plainer where it stands. */
const LEAST = 200
type Json = Record<string, unknown>

export interface Hoisted<T> {
  document: T
  /** by name: what the document refers to as `#/components/schemas/<name>` */
  schemas: Json
}

/** A document in which schemas that stand in several places, and have a name, are said once. */
export function hoist<T>(document: T, named: Readonly<Record<string, unknown>>): Hoisted<T> {
  const names = new Map<string, string>()
  for (const [name, schema] of Object.entries(named)) {
    const text = textOf(schema)
    if (text.length >= LEAST && !names.has(text)) names.set(text, name)
  }
  const uses = new Map<string, number>()
  visit(document, (node) => {
    const name = names.get(textOf(node))
    if (name) uses.set(name, (uses.get(name) ?? 0) + 1)
  })
  const schemas: Json = {}
  const refer = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(refer)
    if (typeof node !== 'object' || node === null) return node
    const name = names.get(textOf(node))
    if (!name || uses.get(name)! < 2) return inside(node)
    if (!(name in schemas)) {
      schemas[name] = null
      schemas[name] = inside(node)
    }
    return { $ref: `#/components/schemas/${name}` }
  }
  const inside = (node: object): Json =>
    Object.fromEntries(Object.entries(node).map(([key, value]) => [key, refer(value)]))
  const hoisted = refer(document) as T
  return {
    document: hoisted,
    schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}

const textOf = (node: unknown): string =>
  JSON.stringify(node, (key, value) => (key === '$schema' ? undefined : value)) ?? ''

function visit(node: unknown, see: (node: object) => void): void {
  if (typeof node !== 'object' || node === null) return
  if (!Array.isArray(node)) see(node)
  for (const child of Object.values(node)) visit(child, see)
}
