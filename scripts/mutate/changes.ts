import { type Expression, type Node, type SourceFile, SyntaxKind } from 'typescript/unstable/ast'
import {
  isBinaryExpression,
  isCallExpression,
  isConditionalExpression,
  isIdentifier,
  isIfStatement,
  isImportDeclaration,
  isNamedImports,
  isPostfixUnaryExpression,
  isPrefixUnaryExpression,
  isPropertyAccessExpression,
  isStringLiteral,
  isWhileStatement,
} from 'typescript/unstable/ast/is'

/** One edit of a source text. */
export interface Change {
  start: number
  end: number
  text: string
  /** for people: `lt -> lte` */
  label: string
  /** a function of the decimals that the new text calls as `mutated_<name>` */
  needs?: string
}

const OPERATORS: Record<string, readonly string[]> = {
  '<': ['<=', '>', '>='],
  '<=': ['<', '>', '>='],
  '>': ['>=', '<', '<='],
  '>=': ['>', '<', '<='],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '+=': ['-='],
  '-=': ['+='],
}
const LOGIC: Record<string, string> = { '&&': '||', '||': '&&' }
const STEPS: Record<string, string> = { '++': '--', '--': '++' }
/** functions of money/dec.ts, by what they become */
export const DECIMALS: Record<string, readonly string[]> = {
  lt: ['lte', 'gt', 'gte'],
  lte: ['lt', 'gt', 'gte'],
  gt: ['gte', 'lt', 'lte'],
  gte: ['gt', 'lt', 'lte'],
  add: ['sub'],
  sub: ['add'],
  min: ['max'],
  max: ['min'],
  floorTo: ['ceilTo'],
  ceilTo: ['floorTo'],
}
const ANSWERS_TRUTH = new Set(['eq', 'isZero', 'isMultiple'])
const CHANGES_SIGN = new Set(['neg', 'abs'])
const COMPARES = new Set(['lt', 'lte', 'gt', 'gte', ...ANSWERS_TRUTH])
const OPPOSITES = new Map(
  [
    ['buy', 'sell'],
    ['bid', 'ask'],
    ['bids', 'asks'],
    ['long', 'short'],
    ['above', 'below'],
    ['maker', 'taker'],
  ].flatMap(([a, b]) => [
    [a!, b!],
    [b!, a!],
  ]),
)

const MATH = new Map(Object.entries({ max: 'min', min: 'max', floor: 'ceil', ceil: 'floor' }))

/** Names in this file that mean functions of money/dec.ts: local name -> name there. */
export function decimalsOf(tree: SourceFile): { names: Map<string, string>; from: string | null } {
  const names = new Map<string, string>()
  let from: string | null = null
  for (const statement of tree.statements) {
    if (!isImportDeclaration(statement) || !isStringLiteral(statement.moduleSpecifier)) continue
    if (!/(^|\/)dec(\.ts)?$/.test(statement.moduleSpecifier.text)) continue
    const bindings = statement.importClause?.namedBindings
    if (!bindings || !isNamedImports(bindings)) continue
    from = statement.moduleSpecifier.text
    for (const { name, propertyName } of bindings.elements) names.set(name.text, (propertyName ?? name).text)
  }
  return { names, from }
}

/** What this node alone may be changed to; its children are asked for themselves. */
export function changesOf(node: Node, tree: SourceFile, decimals: ReadonlyMap<string, string>): Change[] {
  const start = node.getStart(tree)
  const text = (of: Node) => tree.text.slice(of.getStart(tree), of.end)
  const whole = (to: string, label: string): Change => ({ start, end: node.end, text: to, label })

  if (isBinaryExpression(node)) {
    const { left, operatorToken, right } = node
    const operator = text(operatorToken)
    const at = { start: operatorToken.getStart(tree), end: operatorToken.end }
    const other = LOGIC[operator]
    // as a whole: the two bind differently, and neither stands beside ?? without parentheses
    if (other) return [whole(`(${text(left)} ${other} ${text(right)})`, `${operator} -> ${other}`)]
    return (OPERATORS[operator] ?? []).map((to) => ({ ...at, text: to, label: `${operator} -> ${to}` }))
  }
  if (isPrefixUnaryExpression(node)) {
    const { operand } = node
    if (node.operator === SyntaxKind.ExclamationToken)
      return compares(operand, decimals) ? [] : [whole(`(${text(operand)})`, '! removed')]
    if (node.operator === SyntaxKind.MinusToken) return [whole(`(${text(operand)})`, '- removed')]
  }
  if (isPrefixUnaryExpression(node) || isPostfixUnaryExpression(node)) {
    const was = tree.text.slice(start, node.end).replace(text(node.operand), '').trim()
    const to = STEPS[was]
    if (!to) return []
    return [whole(isPrefixUnaryExpression(node) ? to + text(node.operand) : text(node.operand) + to, `${was} -> ${to}`)]
  }
  if (node.kind === SyntaxKind.TrueKeyword) return [whole('false', 'true -> false')]
  if (node.kind === SyntaxKind.FalseKeyword) return [whole('true', 'false -> true')]
  if (isStringLiteral(node)) {
    const to = OPPOSITES.get(node.text)
    return to && !isName(node) && !isCompared(node) ? [whole(`'${to}'`, `'${node.text}' -> '${to}'`)] : []
  }
  if (isPropertyAccessExpression(node)) {
    const isMath = isIdentifier(node.expression) && node.expression.text === 'Math'
    const to = (isMath ? MATH : OPPOSITES).get(node.name.text)
    if (!to) return []
    return [{ start: node.name.getStart(tree), end: node.name.end, text: to, label: `.${node.name.text} -> .${to}` }]
  }
  if (isCallExpression(node)) {
    const name = isIdentifier(node.expression) ? decimals.get(node.expression.text) : undefined
    const [argument] = node.arguments
    if (!name || !argument) return []
    if (ANSWERS_TRUTH.has(name)) return [whole(`(!${tree.text.slice(start, node.end)})`, `${name} negated`)]
    return CHANGES_SIGN.has(name) ? [whole(`(${text(argument)})`, `${name} removed`)] : []
  }
  if (isIdentifier(node) && isUsed(node)) {
    const name = decimals.get(node.text)
    if (!name) return []
    return (DECIMALS[name] ?? []).map((to) => ({ ...whole(`mutated_${to}`, `${name} -> ${to}`), needs: to }))
  }
  return []
}

/** A call that is turned round by its own name: a negation of it would be the same program again. */
function compares(node: Node, decimals: ReadonlyMap<string, string>): boolean {
  if (!isCallExpression(node) || !isIdentifier(node.expression)) return false
  const name = decimals.get(node.expression.text)
  return name !== undefined && COMPARES.has(name)
}
/** `side === 'buy'`: there the comparison is turned round. */
const isCompared = (node: Node): boolean =>
  isBinaryExpression(node.parent) &&
  (node.parent.operatorToken.kind === SyntaxKind.EqualsEqualsEqualsToken ||
    node.parent.operatorToken.kind === SyntaxKind.ExclamationEqualsEqualsToken)

/** A condition that is no comparison itself: those are changed where they stand. */
export function conditionChange(node: Node, tree: SourceFile, decimals: ReadonlyMap<string, string>): Change[] {
  const condition = conditionOf(node)
  if (!condition || isBinaryExpression(condition) || isPrefixUnaryExpression(condition)) return []
  if (compares(condition, decimals)) return []
  const start = condition.getStart(tree)
  const was = tree.text.slice(start, condition.end)
  return [{ start, end: condition.end, text: `!(${was})`, label: 'condition negated' }]
}

function conditionOf(node: Node): Expression | undefined {
  if (isConditionalExpression(node)) return node.condition
  return isIfStatement(node) || isWhileStatement(node) ? node.expression : undefined
}

/** A value that is called or handed on, not the name of something. */
function isUsed(node: Node): boolean {
  const { parent } = node
  if (isPropertyAccessExpression(parent)) return false
  return USES.has(parent.kind) && !isName(node)
}
const USES = new Set([
  SyntaxKind.CallExpression,
  SyntaxKind.ConditionalExpression,
  SyntaxKind.BinaryExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.VariableDeclaration,
  SyntaxKind.PropertyAssignment,
  SyntaxKind.ReturnStatement,
  SyntaxKind.ParenthesizedExpression,
  SyntaxKind.ArrayLiteralExpression,
])
const isName = (node: Node): boolean => (node.parent as { name?: Node }).name === node
