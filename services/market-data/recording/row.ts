/** One line of a recording (an element of a JSON array, a row of a Parquet file), not yet understood. */
export interface Row {
  /** from 1, the header counts */
  line: number
  /** as written, for people; cut to 200 characters */
  text: string
  /** null: not even cells */
  cells: string[] | null
}
/** Rows with the names of their cells, where the file gives them. */
export interface RowBatch {
  header: string[] | null
  rows: Row[]
}
export const quoted = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text)

export class RecordingError extends Error {
  /** option: the command line option that says what the file does not */
  constructor(
    message: string,
    readonly option?: 'symbol' | 'columns' | 'zone' | 'candle-time',
  ) {
    super(message)
  }
}
