import { quoted, type Row, type RowBatch } from './row.ts'

const DELIMITERS = [',', ';', '\t', '|']

/** The delimiter that cuts the first line into the most cells. */
export const delimiterOf = (line: string): string =>
  DELIMITERS.reduce((best, d) => (line.split(d).length > line.split(best).length ? d : best), ',')

/** Lines as batches, one per chunk of text; without their ends and without a byte order mark. */
export async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string[]> {
  let pending = ''
  let first = true
  for await (const chunk of chunks) {
    const lines = (pending + (first ? chunk.replace(/^\uFEFF/, '') : chunk)).split('\n')
    first = false
    pending = lines.pop()!
    if (lines.length > 0) yield lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  }
  if (pending !== '') yield [pending]
}

/** Cells of one line; null when a quote does not end. */
export function cellsOf(line: string, delimiter: string): string[] | null {
  if (!line.includes('"')) return line.split(delimiter)
  const cells: string[] = []
  for (let at = 0; at <= line.length; ) {
    if (line[at] !== '"') {
      const stop = line.indexOf(delimiter, at)
      cells.push(line.slice(at, stop < 0 ? line.length : stop))
      if (stop < 0) return cells
      at = stop + 1
      continue
    }
    let cell = ''
    let stop = line.indexOf('"', at + 1)
    while (stop >= 0 && line[stop + 1] === '"') {
      cell += line.slice(at + 1, stop + 1)
      at = stop + 1
      stop = line.indexOf('"', at + 1)
    }
    if (stop < 0) return null
    cells.push(cell + line.slice(at + 1, stop))
    if (stop + 1 >= line.length) return cells
    if (line[stop + 1] !== delimiter) return null
    at = stop + 2
  }
  return cells
}

/** A first line is a header when nothing in it looks like a number or a time. */
const isHeader = (cells: readonly string[]): boolean =>
  cells.some((c) => c !== '') && !cells.some((c) => /^[-+]?\.?\d/.test(c.trim()))

export async function* readCsv(chunks: AsyncIterable<string>): AsyncGenerator<RowBatch> {
  let header: string[] | null = null
  let delimiter: string | null = null
  let line = 0
  for await (const lines of linesOf(chunks)) {
    const rows: Row[] = []
    for (const text of lines) {
      line++
      if (text.trim() === '') continue
      if (delimiter === null) {
        delimiter = delimiterOf(text)
        const cells = cellsOf(text, delimiter)
        if (cells && isHeader(cells)) {
          header = cells
          continue
        }
      }
      rows.push({ line, text: quoted(text), cells: cellsOf(text, delimiter) })
    }
    if (rows.length > 0) yield { header, rows }
  }
}
