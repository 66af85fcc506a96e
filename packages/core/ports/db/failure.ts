import { DbError } from './port.ts'

const CONFLICTS = new Set(['40001', '40P01'])
/** The server ended the connection: administrator, crash, start-up, too long inside a transaction. */
const ENDED = new Set(['57P01', '57P02', '57P03', '57P05', '25P03'])
const CONNECTION_FAILURE = '08006'
const TOO_MANY = '53300'

/** What `pg` throws -> DbError: the server's SQLSTATE, or a lost connection, whose statements may have run. */
export function toDbError(error: unknown): DbError {
  if (error instanceof DbError) return error
  const { code, constraint, message } = error as { code?: string; constraint?: string; message: string }
  const isState = code !== undefined && /^[0-9A-Z]{5}$/.test(code)
  if (isState && !code.startsWith('08') && !ENDED.has(code)) {
    return new DbError(message, code, { constraint, retryable: CONFLICTS.has(code), cause: error })
  }
  return new DbError(message, isState ? code : CONNECTION_FAILURE, {
    retryable: true,
    outcomeUnknown: true,
    cause: error,
  })
}

/** The server is away or too slow, no connection was free in time, somebody else was faster. */
const PASSING_OF_PRISMA = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037'])
/** What Prisma's client throws: as a DbError where it passes. */
export function ofPrisma(error: unknown): unknown {
  const { code, message } = error as { code?: string; message: string }
  if (code === undefined || !PASSING_OF_PRISMA.has(code)) return error
  return new DbError(message.trim(), CONNECTION_FAILURE, { retryable: true, outcomeUnknown: true, cause: error })
}

/** The same failure where it is certain that nothing was done: nothing was sent, or never committed. */
export function withoutEffect(failure: unknown): DbError {
  const { message, code, options } = toDbError(failure)
  const lost = options.outcomeUnknown === true || code === TOO_MANY
  return new DbError(message, code, { ...options, outcomeUnknown: false, ...(lost ? { retryable: true } : {}) })
}

/** True when the connection can't be used again: it is gone, or its answer is still owed. */
export const connectionLost = (error: unknown): error is DbError =>
  error instanceof DbError &&
  (error.options.outcomeUnknown === true || error.code.startsWith('08') || ENDED.has(error.code))

/** May the same be tried again? Certainly nothing was done, and the cause passes. */
export const mayRepeat = (error: unknown): error is DbError =>
  error instanceof DbError && error.options.retryable === true && error.options.outcomeUnknown !== true

/** Connections, logins, resources, the operator, the system: classes of what is no fault of the statement. */
const SERVERS_OWN = new Set(['08', '28', '53', '57', '58'])
const STATEMENT_TIMEOUT = '57014'
/** Whether the cause lies with the server or the way to it, and passes when that is mended; what was done may be unknown. */
export const passes = (error: unknown): error is DbError =>
  error instanceof DbError &&
  (error.options.retryable === true ||
    error.options.outcomeUnknown === true ||
    (SERVERS_OWN.has(error.code.slice(0, 2)) && error.code !== STATEMENT_TIMEOUT))
