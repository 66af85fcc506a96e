import { AssayError, ERRORS } from '@assay/core/contracts/errors'
import { renew } from '../ops/renew.ts'
import { subscribe } from '../ops/subscribe.ts'
import { unsubscribe } from '../ops/unsubscribe.ts'
import { decodeMessage } from './codec.ts'
import type { Connection } from './connection.ts'
import { ClientOp } from './protocol.ts'

/** A client's message: parsed, then run after the ones before it. A ping does not wait. */
export function receive(connection: Connection, raw: string | Uint8Array): void {
  try {
    if (Buffer.byteLength(raw) > connection.hub.limits.messageBytes) connection.end('tooLarge')
    else start(connection, parseOp(raw))
  } catch (error) {
    sendError(connection, error)
  }
}
/** An `error` message; anything but an AssayError is masked and logged. */
export function sendError(
  connection: Connection,
  error: unknown,
  at: { id?: string | number; channel?: string } = {},
): void {
  if (!(error instanceof AssayError))
    connection.hub.log.error(
      { err: error, requestId: connection.caller.requestId, ...at },
      'websocket operation failed',
    )
  const { code, detail, options } = error instanceof AssayError ? error : new AssayError('internal', 'Try again.')
  const data = {
    code,
    title: ERRORS[code][1],
    detail,
    field: options.field,
    nearest: options.nearest,
    errors: options.errors,
  }
  connection.send({ type: 'error', ...at, data })
}

function parseOp(raw: string | Uint8Array): ClientOp {
  const parsed = ClientOp.safeParse(decodeMessage(raw))
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.map((issue) => ({ field: issue.path.join('.'), detail: issue.message }))
  throw new AssayError('validation_failed', errors[0]!.detail, { field: errors[0]!.field, errors })
}
function start(connection: Connection, op: ClientOp): void {
  if (op.op === 'ping') {
    connection.send({ type: 'pong', id: op.id, data: null })
  } else if (connection.waitingOps >= connection.hub.limits.waitingOps) {
    connection.end('tooManyOps')
  } else {
    connection.waitingOps++
    connection.lastOp = connection.lastOp.then(() => run(connection, op))
  }
}
async function run(connection: Connection, op: Exclude<ClientOp, { op: 'ping' }>): Promise<void> {
  try {
    if (connection.closed) return
    if (op.op === 'subscribe') await subscribe(connection, op)
    else if (op.op === 'unsubscribe') await unsubscribe(connection, op)
    else await renew(connection, op)
  } catch (error) {
    sendError(connection, error, { id: op.id })
  } finally {
    connection.waitingOps--
  }
}
