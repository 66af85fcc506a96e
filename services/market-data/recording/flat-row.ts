const [TAB, NEWLINE, RETURN, SPACE, QUOTE, COMMA, CLOSE, BACKSLASH] = [9, 10, 13, 32, 34, 44, 93, 92]
const WORDS = new Map([
  ['t', 'true'],
  ['f', 'false'],
  ['n', 'null'],
])
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/**
 * The cells of `[1,"a",null,true]`, numbers as the text that was written, null as nothing. Null where a row is not flat,
 * escapes a character or is anything else than what nearly all rows are: it is then to be parsed with care.
 */
export function flatCells(text: string): string[] | null {
  const cells: string[] = []
  if (text[0] !== '[') return null
  for (let at = pass(text, 1); ; at = pass(text, at + 1)) {
    const end = valueEnd(text, at)
    if (end < 0) return null
    const value = text.slice(at, end)
    cells.push(value[0] === '"' ? value.slice(1, -1) : value === 'null' ? '' : value)
    at = pass(text, end)
    const code = text.charCodeAt(at)
    if (code === CLOSE) return pass(text, at + 1) === text.length ? cells : null
    if (code !== COMMA) return null
  }
}

/** The next place that is not blank. */
function pass(text: string, at: number): number {
  for (; ; at++) {
    const code = text.charCodeAt(at)
    if (code !== SPACE && code !== NEWLINE && code !== RETURN && code !== TAB) return at
  }
}
/** Behind the scalar that begins here; -1: there is none, or one with an escape. */
function valueEnd(text: string, at: number): number {
  if (text.charCodeAt(at) === QUOTE) return stringEnd(text, at + 1)
  const word = WORDS.get(text[at]!)
  if (word) return text.startsWith(word, at) ? at + word.length : -1
  NUMBER.lastIndex = at
  return NUMBER.test(text) ? NUMBER.lastIndex : -1
}
function stringEnd(text: string, at: number): number {
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at + 1
    if (code === BACKSLASH || code < SPACE) return -1
  }
  return -1
}
