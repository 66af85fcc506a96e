import { DbError } from './port.ts'

const RETRYABLE = new Set(['40001', '40P01'])
const CONNECTION_FAILURE = '08006'

/** What `pg` throws -> DbError: the server's SQLSTATE, or a lost connection, whose statements may have run. */
export function toDbError(error: unknown): DbError {
  if (error instanceof DbError) return error
  const { code, constraint, message } = error as { code?: string; constraint?: string; message: string }
  if (code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('08')) {
    return new DbError(message, code, { constraint, retryable: RETRYABLE.has(code), cause: error })
  }
  return new DbError(message, CONNECTION_FAILURE, { retryable: true, outcomeUnknown: true, cause: error })
}

/** True when the connection can't be used again: it is gone, or its answer is still owed. */
export const connectionLost = (error: unknown): error is DbError =>
  error instanceof DbError && error.options.outcomeUnknown === true
