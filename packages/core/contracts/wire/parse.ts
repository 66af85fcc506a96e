import type { z } from 'zod'
import { AssayError } from '../errors.ts'
import { wordsOf } from './words.ts'

/** `phases[0].rules[2].pct`: where in a document. */
export const pathOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key)),
    '',
  )

/** Errors of one document that are told: an answer must not be larger than what it answers. */
export const MOST_ERRORS = 100

/** The first issues as {field, detail}; an unknown member is named itself, not the object that holds it. */
export function fieldsOf(issues: readonly z.core.$ZodIssue[]): { field: string; detail: string }[] {
  return issues
    .slice(0, MOST_ERRORS)
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys
            .slice(0, MOST_ERRORS)
            .map((key) => ({ field: pathOf([...issue.path, key]), detail: 'is not a known field' }))
        : [{ field: pathOf(issue.path), detail: issue.message }],
    )
    .slice(0, MOST_ERRORS)
}

/** The value as the schema reads it. Throws AssayError validation_failed that names each field. */
export function parseWire<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value, { error: wordsOf })
  if (result.success) return result.data
  const errors = fieldsOf(result.error.issues)
  const first = errors[0]!
  throw new AssayError('validation_failed', first.field ? `${first.field}: ${first.detail}` : first.detail, {
    field: first.field || undefined,
    errors,
  })
}
