import { AssayError } from '@assay/core/contracts/errors'
import { Decimal } from '@assay/core/contracts/wire/decimal'
import { parseWire } from '@assay/core/contracts/wire/parse'
import type { Command } from '@assay/core/domain/engine/types'
import { z } from 'zod'

/** A scripted command: takes effect after every market event with a time <= `at` and before the next. */
export interface ScriptedCommand {
  at: number
  line: number
  command: Command
}

const At = z.union([z.iso.datetime({ offset: true }), z.int()], 'must be ISO 8601 with a zone, or milliseconds')
const name = z.string().min(1).max(64)
const Shape = {
  order: z.strictObject({
    at: At,
    op: z.literal('order'),
    symbol: z.string(),
    side: z.enum(['buy', 'sell']),
    type: z.enum(['market', 'limit']),
    quantity: Decimal,
    price: Decimal.optional(),
    time_in_force: z.enum(['gtc', 'ioc']).optional(),
    client_order_id: name.optional(),
  }),
  cancel: z.strictObject({
    at: At,
    op: z.literal('cancel'),
    order: z.string().optional(),
    client_order_id: name.optional(),
  }),
  cancel_all: z.strictObject({ at: At, op: z.literal('cancel_all'), symbol: z.string().optional() }),
}
const LATER_OPS = ['amend', 'close']
const LATER_TYPES = ['stop', 'stop_limit', 'trailing_stop', 'bracket', 'oco']
const LATER_TIFS = ['fok', 'day', 'gtd']
const LATER_FIELDS = ['reduce_only', 'post_only', 'stop_price', 'trail', 'take_profit', 'stop_loss', 'expires_at']

function refuseLater(fields: Record<string, unknown>): void {
  const refuse = (field: string, what: string): never => {
    throw new AssayError('not_supported', `${what} is not supported yet.`, { field })
  }
  if (LATER_OPS.includes(String(fields.op))) refuse('op', `The operation ${fields.op}`)
  if (LATER_TYPES.includes(String(fields.type).toLowerCase())) refuse('type', `The order type ${fields.type}`)
  if (LATER_TIFS.includes(String(fields.time_in_force).toLowerCase()))
    refuse('time_in_force', `The time in force ${fields.time_in_force}`)
  for (const field of LATER_FIELDS)
    if (fields[field] !== undefined && fields[field] !== false) refuse(field, `The field ${field}`)
}

function commandOf(fields: Record<string, unknown>): { at: string | number; command: Command } {
  refuseLater(fields)
  if (fields.op === 'cancel') {
    const { at, order, client_order_id } = parseWire(Shape.cancel, fields)
    if ((order === undefined) === (client_order_id === undefined))
      throw new AssayError('validation_failed', 'say order or client_order_id', { field: 'order' })
    return { at, command: { op: 'cancel', order: order ?? `client:${client_order_id}` } }
  }
  if (fields.op === 'cancel_all') {
    const { at, ...command } = parseWire(Shape.cancel_all, fields)
    return { at, command }
  }
  const { at, ...command } = parseWire(Shape.order, fields.op === undefined ? { ...fields, op: 'order' } : fields)
  if (command.type === 'limit' && command.price === undefined)
    throw new AssayError('validation_failed', 'price: a limit order needs one', { field: 'price' })
  if (command.type === 'market' && command.price !== undefined)
    throw new AssayError('validation_failed', 'price: a market order has none', { field: 'price' })
  if (command.type === 'market' && command.time_in_force === 'gtc')
    throw new AssayError('validation_failed', 'time_in_force: a market order is ioc', { field: 'time_in_force' })
  return { at, command }
}

/** JSON lines of scripted commands, ordered by time (equal times keep the file's order). Throws AssayError that names the line and the field. */
export function parseOrders(text: string, file: string): ScriptedCommand[] {
  const commands: ScriptedCommand[] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    try {
      const fields: unknown = JSON.parse(line)
      if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
        throw new AssayError('validation_failed', 'not an object')
      const { at, command } = commandOf(fields as Record<string, unknown>)
      commands.push({ at: typeof at === 'number' ? at : Date.parse(at), line: i + 1, command })
    } catch (error) {
      const where = `${file}:${i + 1}`
      if (error instanceof AssayError)
        throw new AssayError(error.code, `${where}: ${error.detail}`, { field: error.options.field })
      throw new AssayError('malformed_body', `${where}: not JSON: ${line.slice(0, 80)}`)
    }
  }
  return commands.sort((a, b) => a.at - b.at)
}
