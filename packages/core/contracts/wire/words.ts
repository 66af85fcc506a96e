import { z } from 'zod'

type Issue = z.core.$ZodRawIssue
const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
}
const listed = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join(', ')
const oneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? `must be ${listed(values)}` : `must be one of ${listed(values)}`
const times = (n: number | bigint, one: string, many: string): string => `${n} ${String(n) === '1' ? one : many}`
/** How much of it there may be. */
function sized(bound: string, n: number | bigint, inclusive: boolean | undefined, origin: string): string {
  if (origin === 'array' || origin === 'set') return `must hold ${bound} ${times(n, 'item', 'items')}`
  if (origin === 'string') return `must have ${bound} ${times(n, 'character', 'characters')}`
  return inclusive === false ? `must be ${bound === 'at least' ? 'above' : 'below'} ${n}` : `must be ${bound} ${n}`
}

/** What is wrong with a value, in the words of the platform; undefined: the schema or zod says it. */
export function wordsOf(issue: Issue): string | undefined {
  if (issue.input === undefined && issue.code.startsWith('invalid_')) return 'is missing'
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] && `must be ${KINDS[issue.expected]}`
    case 'invalid_value':
      return oneOf(issue.values)
    case 'invalid_union':
      return discriminated(issue) ?? 'has none of the shapes that it may have'
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'must not be empty'
      return sized('at least', issue.minimum, issue.inclusive, issue.origin)
    case 'too_big':
      return sized('at most', issue.maximum, issue.inclusive, issue.origin)
    case 'invalid_format':
      return issue.format === 'regex' ? undefined : `must be a valid ${issue.format.replace(/_/g, ' ')}`
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    default:
      return undefined
  }
}
/** The member that tells which of several shapes it is. */
function discriminated(issue: Issue): string | undefined {
  const { discriminator, options, input } = issue as { discriminator?: string; options?: unknown[]; input?: unknown }
  if (!discriminator || !options) return undefined
  const said = (input as Record<string, unknown> | null)?.[discriminator]
  return said === undefined ? 'is missing' : oneOf(options)
}

/** A schema's own words, but for a value that is not there. */
export const whenThere =
  (words: string) =>
  ({ input }: Issue): string | undefined =>
    input === undefined ? undefined : words

/** All schemas of this process say it so; a schema's own message goes before. */
export const useOwnWords = (): void => void z.config({ customError: wordsOf })
