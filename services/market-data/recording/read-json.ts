import { flatCells } from './flat-row.ts'
import { linesOf } from './read-csv.ts'
import { quoted, type Row, type RowBatch } from './row.ts'

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
/** An element longer than this is no line of a recording. */
const LONGEST = 1024 * 1024

/** JSON with its numbers as the text that was written: 0.015571269999999998 stays what it is. */
export const parseExact = (text: string): unknown =>
  JSON.parse(text.replace(STRING_OR_NUMBER, (token) => (token[0] === '"' ? token : `"${token}"`)))

const cell = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'boolean' ? String(value) : ''

class Rows {
  header: string[] | null = null

  of(line: number, text: string): Row {
    const cells = flatCells(text)
    if (cells) return { line, text: quoted(text), cells }
    let value: unknown
    try {
      value = parseExact(text)
    } catch {
      return { line, text: quoted(text), cells: null }
    }
    if (Array.isArray(value)) return { line, text: quoted(text), cells: value.map(cell) }
    if (typeof value !== 'object' || value === null) return { line, text: quoted(text), cells: null }
    const object = value as Record<string, unknown>
    this.header ??= Object.keys(object)
    return { line, text: quoted(text), cells: this.header.map((name) => cell(object[name])) }
  }
}

export async function* readJsonLines(chunks: AsyncIterable<string>): AsyncGenerator<RowBatch> {
  const rows = new Rows()
  let line = 0
  for await (const lines of linesOf(chunks)) {
    const batch: Row[] = []
    for (const text of lines) {
      line++
      if (text.trim() !== '') batch.push(rows.of(line, text))
    }
    if (batch.length > 0) yield { header: rows.header, rows: batch }
  }
}

const QUOTE = 34
const BACKSLASH = 92
const opens = (c: number): boolean => c === 91 || c === 123
const closes = (c: number): boolean => c === 93 || c === 125

/**
 * One JSON array of rows, without holding it whole: elements are cut out by their brackets; `line` counts them. Where
 * the first element is flat all are, so a bracket inside one means that it is damaged and the next one begins.
 */
export async function* readJsonArray(chunks: AsyncIterable<string>): AsyncGenerator<RowBatch> {
  const rows = new Rows()
  let line = 0
  let flat: boolean | null = null
  let depth = 0
  let inString = false
  let escaped = false
  let element = ''
  for await (const chunk of chunks) {
    const batch: Row[] = []
    let start = depth >= 2 ? 0 : -1
    const cut = (end: number) => {
      const text = element + chunk.slice(start, end)
      flat ??= !/[[{]/.test(text.slice(1))
      batch.push(rows.of(++line, text))
      element = ''
      start = -1
      depth = 1
      inString = false
    }
    for (let i = 0; i < chunk.length; i++) {
      const c = chunk.charCodeAt(i)
      const bracket = opens(c) || closes(c)
      if (inString && !(flat && bracket)) {
        if (escaped) escaped = false
        else if (c === BACKSLASH) escaped = true
        else if (c === QUOTE) inString = false
      } else if (c === QUOTE) inString = true
      else if (opens(c)) {
        if (depth === 2 && flat) cut(i)
        if (++depth === 2) start = i
      } else if (closes(c) && depth > 1 && --depth === 1) cut(i + 1)
    }
    if (start >= 0) element += chunk.slice(start)
    if (element.length > LONGEST) break
    if (batch.length > 0) yield { header: rows.header, rows: batch }
  }
  if (element !== '') yield { header: rows.header, rows: [{ line: line + 1, text: quoted(element), cells: null }] }
}
