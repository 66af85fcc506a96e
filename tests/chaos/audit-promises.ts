/** Every acknowledgement that the client holds against what is stored. */
import { createHash, createPublicKey, verify } from 'node:crypto'
import type { Finding } from '../../scripts/audit/finding.ts'
import type { Ack, ReceiptHeld } from './acks.ts'
import type { OrderAsked } from './order-near.ts'

export type Ask = (sql: string, params?: unknown[]) => Promise<Record<string, unknown>[]>
export interface PublicKey {
  kid: string
  public_key: string
}

/** Rows of these accounts as one map, by `account/key`. */
async function mapped(ask: Ask, sql: string, key: string): Promise<Map<string, Record<string, unknown>>> {
  return new Map((await ask(sql)).map((row) => [`${row.account}/${row[key]}`, row]))
}

export async function auditPromises(ask: Ask, acks: readonly Ack[], keys: readonly PublicKey[]): Promise<Finding[]> {
  const findings: Finding[] = []
  const lost = (place: string, said: string) => findings.push({ rule: 'what was acknowledged is there', place, said })
  const orders = await mapped(
    ask,
    'select account, order_id, client_order_id, symbol, side, status from trading.orders',
    'order_id',
  )
  const fills = await mapped(ask, 'select account, aseq::int, quantity::text, price::text from trading.fills', 'aseq')
  const hashes = await mapped(ask, 'select account, aseq::int, hash from trading.journal', 'aseq')
  const refusals = new Set(
    (
      await ask(
        `select account, record::jsonb->'command'->>'client_order_id' as id, record::jsonb->'answer'->>'code' as code from trading.journal
         where kind = 'command' and record::jsonb->'answer'->>'ok' = 'false'`,
      )
    ).map((row) => `${row.account} ${row.id} ${row.code}`),
  )
  const commands = await mapped(
    ask,
    `select account, sealed_aseq::int, record::jsonb->'command' as command, record::jsonb->'answer'->>'ok' as ok
     from trading.journal where kind = 'command'`,
    'sealed_aseq',
  )
  /** What was said stands in the journal as it was said. */
  const isKept = (place: string, said: object): boolean => {
    const { command, ok } = commands.get(place) ?? {}
    return ok === 'true' && Object.entries(said).every(([name, value]) => same((command as Said)[name], value))
  }
  const byClientId = new Map<string, string>()
  for (const ack of acks) {
    if (ack.kind === 'refused') {
      if (!refusals.has(`${ack.assessment} ${ack.asked.client_order_id} ${ack.code}`))
        lost(`${ack.assessment} ${ack.asked.client_order_id}`, `its refusal ${ack.code} is not in the journal`)
      continue
    }
    const { receipt } = ack
    const place = `${ack.assessment}/${receipt.aseq}`
    if (hashes.get(place)?.hash !== receipt.hash)
      lost(place, `its receipt says ${receipt.hash}, the journal has another`)
    if (receipt.assessment !== ack.assessment || !isSigned(receipt, keys)) lost(place, 'its receipt is not signed')
    if (ack.kind === 'cancelled') {
      for (const id of ack.orders)
        if (orders.get(`${ack.assessment}/${id}`)?.status !== 'cancelled')
          lost(`${ack.assessment}/${id}`, 'not cancelled')
      continue
    }
    if (ack.kind === 'taken') {
      const { op, asked } = ack
      if (!isKept(place, { op, ...asked })) lost(place, `the ${op} is not in the journal as it was asked`)
      continue
    }
    const row = orders.get(`${ack.assessment}/${ack.order}`)
    const { asked } = ack
    if (!row) lost(place, `order ${ack.order} is gone`)
    else if (row.client_order_id !== asked.client_order_id || row.symbol !== asked.symbol || row.side !== asked.side)
      lost(place, `order ${ack.order} is another one: ${JSON.stringify(row)}`)
    if (!isKept(place, { op: 'order', ...asked, type: typeSaid(asked) }))
      lost(place, `order ${ack.order} is not in the journal as it was asked`)
    for (const fill of ack.fills) {
      const stored = fills.get(`${ack.assessment}/${fill.id.slice(1)}`)
      if (!stored || Number(stored.quantity) !== Number(fill.quantity) || Number(stored.price) !== Number(fill.price))
        lost(`${ack.assessment}/${fill.id}`, `the fill is ${stored ? 'another one' : 'gone'}`)
    }
    const first = byClientId.get(`${ack.assessment} ${asked.client_order_id}`)
    if (first !== undefined && first !== ack.order)
      findings.push({ rule: 'one client_order_id is one order', place, said: `${first} and ${ack.order}` })
    byClientId.set(`${ack.assessment} ${asked.client_order_id}`, ack.order)
  }
  return findings
}

type Said = Record<string, unknown>
const same = (a: unknown, b: unknown): boolean =>
  typeof b === 'object' && b !== null
    ? Object.entries(b).every(([name, value]) => same((a as Said | undefined)?.[name], value))
    : a === b
/** A bracket is an entry of one of the types, with exits. */
const typeSaid = ({ type, price }: OrderAsked): string =>
  type !== 'bracket' ? type : price === undefined ? 'market' : 'limit'

// ---- receipts, as docs/proof-format.md describes them --------------------------------------------------------------
const sha256 = (...parts: (Buffer | string)[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
const LEAF = Buffer.from([0])
const NODE = Buffer.from([1])
/** SubjectPublicKeyInfo of a raw Ed25519 key. */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

function isSigned(receipt: ReceiptHeld, keys: readonly PublicKey[]): boolean {
  const key = keys.find(({ kid }) => kid === receipt.kid)
  if (!key) return false
  const { assessment, aseq, hash, signed_at, path } = receipt
  const text = path
    ? JSON.stringify({ commit: rootOf(receipt, path), count: path.count, signed_at })
    : JSON.stringify({ aseq, assessment, hash, signed_at })
  const spki = Buffer.concat([SPKI, Buffer.from(key.public_key, 'hex')])
  const opened = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  return verify(null, Buffer.from(text), opened, Buffer.from(receipt.signature, 'hex'))
}
function rootOf({ assessment, aseq, hash }: ReceiptHeld, path: NonNullable<ReceiptHeld['path']>): string {
  let node = sha256(LEAF, JSON.stringify({ aseq, assessment, hash }))
  let [index, last, used] = [path.index, path.count - 1, 0]
  for (; last > 0; index >>= 1, last >>= 1) {
    if (index === last && index % 2 === 0) continue
    const sibling = Buffer.from(path.hashes[used++] ?? '', 'hex')
    node = index % 2 === 0 ? sha256(NODE, node, sibling) : sha256(NODE, sibling, node)
  }
  return node.toString('hex')
}
