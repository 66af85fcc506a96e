import { AssayError, ERRORS, type ErrorCode } from '../contracts/errors.ts'
import { MOST_ERRORS } from '../contracts/wire/parse.ts'
import { DbError } from '../ports/db/port.ts'
import { DiskFullError, FencedError } from '../ports/marketlog/port.ts'

/** RFC 9457 problem details, as every error leaves the platform. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  instance: string
  request_id: string
  code: ErrorCode
  field?: string
  nearest?: string
  retryable?: boolean
  order?: string
  errors?: { field: string; detail: string }[]
}

const MASKED = 'The cause is in the log under this request id.'

/** The public form of an error: what is not an AssayError, or fails in a way callers cannot mend, is masked. */
export function toProblem(error: AssayError, instance: string, requestId: string): Problem {
  const { field, nearest, retryable, order, errors } = error.options
  return {
    type: `urn:assay:error:${error.code}`,
    title: ERRORS[error.code][1],
    status: error.status,
    detail: error.detail,
    instance,
    request_id: requestId,
    code: error.code,
    ...(field && { field }),
    ...(nearest && { nearest }),
    ...(retryable && { retryable }),
    ...(order && { order }),
    ...(errors && { errors }),
  }
}

/** Elysia's own errors by their `code`, ours as they are, everything else masked. */
export function toAssayError(error: unknown, code: unknown): AssayError {
  if (error instanceof AssayError) return error
  if (code === 'VALIDATION') return validationError(error as ValidationLike)
  if (code === 'PARSE') return new AssayError('malformed_body', 'Send one JSON document.', { cause: error })
  if (code === 'NOT_FOUND') return new AssayError('not_found', 'No route has this path.')
  if (code === 'INVALID_COOKIE_SIGNATURE')
    return new AssayError('bad_request', 'A cookie is not valid.', { cause: error })
  if (isDiskFull(error))
    return new AssayError('disk_full', 'Nothing can be written now.', { retryAfterS: 5, cause: error })
  if ((error instanceof DbError && error.options.retryable) || error instanceof FencedError) {
    return new AssayError('unavailable', 'Try again.', { retryAfterS: 1, cause: error })
  }
  return new AssayError('internal', MASKED, { cause: error })
}

/** The database's SQLSTATE, the market log's own error, or the system's. */
const isDiskFull = (error: unknown): boolean =>
  error instanceof DiskFullError || ['53100', 'ENOSPC'].includes(String((error as { code?: unknown } | null)?.code))

/** What is used of Elysia's ValidationError over a Standard Schema. */
interface ValidationLike {
  type: string
  all: { path?: string; message?: string }[]
}

function validationError(error: ValidationLike): AssayError {
  if (error.type === 'response') return new AssayError('internal', MASKED, { cause: error })
  const all = error.all.slice(0, MOST_ERRORS).flatMap(({ path, message }) => {
    const unknown = unknownMembers(path, message)
    if (unknown.length > 0) return unknown.map((field) => ({ field: indexed(field), detail: 'is not a known field' }))
    const field = indexed(!path || path === 'root' ? error.type : path)
    return [{ field, detail: message ?? 'is not valid' }]
  })
  const errors = all.slice(0, MOST_ERRORS)
  const first = errors[0] ?? { field: error.type, detail: 'is not valid' }
  return new AssayError('validation_failed', `${first.field}: ${first.detail}`, { field: first.field, errors })
}

/** `phases[0].rules[2].pct`, as everywhere. */
const indexed = (path: string): string => path.replace(/\.(\d+)(?=\.|$)/g, '[$1]')

/** zod names the object that holds unknown members; callers want the members. */
function unknownMembers(path: string | undefined, message = ''): string[] {
  if (!/^Unrecognized keys?: "/.test(message)) return []
  const names = Array.from(message.matchAll(/"([^"]+)"/g).take(MOST_ERRORS), ([, name]) => name!)
  return names.map((name) => (!path || path === 'root' ? name : `${path}.${name}`))
}
