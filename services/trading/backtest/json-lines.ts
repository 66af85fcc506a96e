import { AssayError } from '@assay/core/contracts/errors'

export type Fields = Record<string, unknown>

/** One object a line, each read by `read`. Throws AssayError that names file, line and field. */
export function readJsonLines<T>(text: string, file: string, read: (fields: Fields, line: number) => T): T[] {
  const all: T[] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const where = `${file}:${i + 1}`
    const fields = objectOf(where, line)
    try {
      all.push(read(fields, i + 1))
    } catch (error) {
      if (!(error instanceof AssayError)) throw error
      throw new AssayError(error.code, `${where}: ${error.detail}`, { field: error.options.field })
    }
  }
  return all
}

function objectOf(where: string, line: string): Fields {
  let fields: unknown
  try {
    fields = JSON.parse(line)
  } catch {
    throw new AssayError('malformed_body', `${where}: not JSON: ${line.slice(0, 80)}`)
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw new AssayError('validation_failed', `${where}: not an object`)
  return fields as Fields
}
