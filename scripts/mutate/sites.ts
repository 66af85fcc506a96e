import { createHash } from 'node:crypto'
import { type Node, type SourceFile, SyntaxKind } from 'typescript/unstable/ast'
import { isTypeNode } from 'typescript/unstable/ast/is'
import { type Change, changesOf, conditionChange, decimalsOf } from './changes.ts'
import { parseSources, type Sources } from './parse.ts'

export interface Mutant {
  /** place in the list, from 1 */
  n: number
  /** of what stands there: the same as long as the statement around it is */
  id: string
  file: string
  line: number
  label: string
  /** the line as it is and as it becomes, for people */
  was: string
  becomes: string
  /** the whole file, changed */
  text: string
}

const NO_CODE = new Set([
  SyntaxKind.ImportDeclaration,
  SyntaxKind.ExportDeclaration,
  SyntaxKind.InterfaceDeclaration,
  SyntaxKind.TypeAliasDeclaration,
])
const BLOCKS = new Set([SyntaxKind.Block, SyntaxKind.SourceFile, SyntaxKind.CaseClause, SyntaxKind.DefaultClause])

/** Every place where one comparison, sign or side of these sources may be turned round, in order. */
export async function findMutants(sources: Sources): Promise<Mutant[]> {
  const found = await parseSources(sources, (path, tree) => mutantsOf(path, tree))
  return found.flat().map((mutant, i) => ({ n: i + 1, ...mutant }))
}

function mutantsOf(file: string, tree: SourceFile): Omit<Mutant, 'n'>[] {
  const { names, from } = decimalsOf(tree)
  const mutants: Omit<Mutant, 'n'>[] = []
  const taken = new Map<string, number>()
  const visit = (node: Node): void => {
    if (isTypeNode(node) || NO_CODE.has(node.kind)) return
    for (const change of [...conditionChange(node, tree, names), ...changesOf(node, tree, names)]) {
      const text = apply(tree.text, change, from)
      if (compiled(text) === compiled(tree.text)) continue
      mutants.push({ id: idOf(file, node, change, tree, taken), file, text, ...shown(tree.text, text, change) })
    }
    node.forEachChild(visit)
  }
  visit(tree)
  return mutants
}

/** The import goes to the end, so that lines keep their numbers. */
function apply(text: string, { start, end, text: to, needs }: Change, from: string | null): string {
  const changed = text.slice(0, start) + to + text.slice(end)
  return needs ? `${changed}\nimport { ${needs} as mutated_${needs} } from '${from}'\n` : changed
}

const transpiler = new Bun.Transpiler({ loader: 'ts' })
const compiled = (text: string): string => transpiler.transformSync(text)

/** Hash of the file, the statement that the change stands in, its place in it, and the change. */
function idOf(file: string, node: Node, change: Change, tree: SourceFile, taken: Map<string, number>): string {
  const statement = statementOf(node)
  const from = statement.getStart(tree)
  const around = tree.text.slice(from, statement.end)
  const site = [file, around, change.start - from, change.label].join('\n')
  const times = taken.get(site) ?? 0
  taken.set(site, times + 1)
  return createHash('sha256').update(`${site}\n${times}`).digest('hex').slice(0, 12)
}
function statementOf(node: Node): Node {
  let at = node
  while (at.parent && !BLOCKS.has(at.parent.kind)) at = at.parent
  return at
}

function shown(before: string, after: string, { start, label }: Change) {
  const line = before.slice(0, start).split('\n').length
  const lineOf = (text: string) =>
    text
      .split('\n')
      [line - 1]!.trim()
      .replace(/\bmutated_/g, '')
  return { line, label, was: lineOf(before), becomes: lineOf(after) }
}
