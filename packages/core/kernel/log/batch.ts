/** What takes text: standard output. */
export interface Out {
  write(text: string): unknown
}
export interface Batch extends Out {
  /** writes what waits, now */
  flush(): void
}
/** A line that is longer, or many together, do not wait. */
const MOST_CHARS = 64 * 1024

/**
 * Lines of one turn of the event loop as one write: a stream's own costs are many times a line's. What waits at the
 * process's own end is written then; only a kill can lose it, a turn's lines at most.
 */
export function batchLines(out: Out): Batch {
  let waiting = ''
  let asked = false
  const flush = () => {
    asked = false
    if (waiting === '') return
    const lines = waiting
    waiting = ''
    out.write(lines)
  }
  return {
    write(text) {
      waiting += text
      if (waiting.length >= MOST_CHARS) return flush()
      if (asked) return
      asked = true
      setImmediate(flush)
    },
    flush,
  }
}
