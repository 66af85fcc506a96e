import { AssayError } from '@assay/core/contracts/errors'
import {
  AmendRequest,
  agreeing,
  amendBody,
  ClientOrderId,
  CloseRequest,
  orderBody,
  orderFields,
} from '@assay/core/contracts/wire/order-request'
import { parseWire } from '@assay/core/contracts/wire/parse'
import type { Command } from '@assay/core/domain/engine/types'
import { z } from 'zod'
import { At, msOf } from './at.ts'
import { type Fields, readJsonLines } from './json-lines.ts'

/** A scripted command: takes effect after every market event with a time <= `at` and before the next. */
export interface ScriptedCommand {
  at: number
  line: number
  command: Command
}

/** An order of the list, by its name or the id that its client gave it. */
const named = { order: z.string().min(1).max(64).optional(), client_order_id: ClientOrderId.optional() }
const orderNamed = ({ order, client_order_id }: { order?: string; client_order_id?: string }): string => {
  if ((order === undefined) === (client_order_id === undefined))
    throw new AssayError('validation_failed', 'order: say order or client_order_id', { field: 'order' })
  return order ?? `client:${client_order_id}`
}

const Order = z.strictObject(orderFields).superRefine(agreeing)
const Cancel = z.strictObject(named)
const CancelAll = z.strictObject({ symbol: z.string().optional() })
const Nothing = z.strictObject({})
const Position = z.string('say the position, or its symbol').min(1).max(64)

/** Each operation as REST reads its body; what the path says there stands beside it here. */
const READ: Readonly<Record<string, (fields: Fields) => Command>> = {
  order: (fields) => ({ op: 'order', ...orderBody(parseWire(Order, fields)) }),
  amend({ order, client_order_id, ...change }) {
    const name = orderNamed(parseWire(Cancel, { order, client_order_id }))
    return { op: 'amend', order: name, ...amendBody(parseWire(AmendRequest, change)) }
  },
  cancel: (fields) => ({ op: 'cancel', order: orderNamed(parseWire(Cancel, fields)) }),
  cancel_all: (fields) => ({ op: 'cancel_all', ...parseWire(CancelAll, fields) }),
  close({ position, symbol, ...rest }) {
    const of = parseWire(z.strictObject({ position: Position }), { position: position ?? symbol })
    return { op: 'close', ...of, ...parseWire(CloseRequest, rest) }
  },
  pause: (fields) => ({ op: 'pause', ...parseWire(Nothing, fields) }),
  resume: (fields) => ({ op: 'resume', ...parseWire(Nothing, fields) }),
}

function commandOf({ at, op = 'order', ...fields }: Fields): { at: string | number; command: Command } {
  const read = typeof op === 'string' && Object.hasOwn(READ, op) ? READ[op] : undefined
  if (!read) {
    const detail = `op: ${String(op)} is none of ${Object.keys(READ).join(', ')}`
    throw new AssayError('validation_failed', detail, { field: 'op' })
  }
  return { at: parseWire(z.strictObject({ at: At }), { at }).at, command: read(fields) }
}

/** JSON lines of scripted commands, ordered by time (equal times keep the file's order). Throws AssayError that names the line and the field. */
export const parseOrders = (text: string, file: string): ScriptedCommand[] =>
  readJsonLines(text, file, (fields, line) => {
    const { at, command } = commandOf(fields)
    return { at: msOf(at), line, command }
  }).sort((a, b) => a.at - b.at)
