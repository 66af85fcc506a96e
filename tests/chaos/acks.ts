/** What the outside client was promised: one JSON line each, on its own disk before it counts. */
import { fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { OrderAsked } from './order-near.ts'

export interface ReceiptHeld {
  assessment: string
  aseq: number
  hash: string
  kid: string
  signed_at: number
  signature: string
  path?: { index: number; count: number; hashes: string[] }
}
export type Ack =
  | {
      kind: 'placed'
      assessment: string
      asked: OrderAsked
      order: string
      fills: { id: string; quantity: string; price: string }[]
      receipt: ReceiptHeld
      /** how often it was sent: more than once where an answer was lost */
      sent: number
      replayed: boolean
    }
  | { kind: 'refused'; assessment: string; asked: OrderAsked; code: string; retryable: boolean; sent: number }
  | { kind: 'cancelled'; assessment: string; orders: string[]; receipt: ReceiptHeld }
  /** any other command that was taken, with what it said */
  | { kind: 'taken'; assessment: string; op: Taken['op']; asked: Taken['asked']; receipt: ReceiptHeld }

export type Taken =
  | { op: 'amend'; asked: { order: string; quantity?: string; price?: string; stop_price?: string } }
  | { op: 'close'; asked: { position: string; quantity?: string; client_order_id: string } }
  | { op: 'pause' | 'resume'; asked: Record<string, never> }

const SYNC_MS = 5

/** Appends acknowledgements; each counts when `keep` resolves, after an fdatasync. */
export function openAcks(file: string) {
  const fd = openSync(file, 'a')
  let lines = ''
  let waiting: (() => void)[] = []
  let kept = 0
  const flush = () => {
    const [text, done] = [lines, waiting]
    lines = ''
    waiting = []
    writeSync(fd, text)
    fdatasyncSync(fd)
    kept += done.length
    for (const resolve of done) resolve()
  }
  return {
    get kept() {
      return kept
    },
    keep(ack: Ack): Promise<void> {
      if (waiting.length === 0) setTimeout(flush, SYNC_MS)
      lines += `${JSON.stringify(ack)}\n`
      return new Promise((resolve) => waiting.push(resolve))
    },
  }
}
export const readAcks = (file: string): Ack[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
