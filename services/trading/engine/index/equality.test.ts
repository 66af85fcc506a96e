/** The index against the plain replay that lets every account look at every event: not one record may differ. */
import { expect, test } from 'bun:test'
import { compileSpec } from '@assay/core/domain/engine/compile'
import { Replay } from '@assay/core/domain/engine/replay'
import { type AccountState, encodeDeciding, isRunning } from '@assay/core/domain/engine/state'
import { settle } from '@assay/core/domain/engine/step'
import type { AccountSpec, Command, JournalRecord } from '@assay/core/domain/engine/types'
import { gte, lte, toNumber } from '@assay/core/domain/money/dec'
import {
  pick,
  randomCommand,
  randomMarket,
  randomOf,
  randomSpec,
  type WorldOptions,
} from '@assay/core/testing/random-world'
import { Book } from '../book.ts'
import { type Hosted, hostedNew } from '../hosted.ts'

const ACCOUNTS = 8

/** Both engines over one world: records by account, and how much the index looked at. */
function compare(
  seed: number,
  events: number,
  options: WorldOptions,
  { checkBoxes = false, defer = false },
): { touches: number; pairs: number } {
  const random = randomOf(seed)
  const plain = new Map<string, JournalRecord[]>()
  const indexed = new Map<string, JournalRecord[]>()
  const push = (into: Map<string, JournalRecord[]>, account: string, records: JournalRecord[]): void => {
    into.set(account, [...(into.get(account) ?? []), ...records])
  }
  const replay = new Replay(undefined, (account, result) => push(plain, account, result.records))
  const book = new Book(
    { from: 1, carry: [], head: null },
    (h, result) => push(indexed, h.account, result.records),
    undefined,
    defer ? 1 : undefined,
  )
  const hosted = new Map<string, Hosted>()
  const cseqs = new Map<string, number>()
  const host = (account: string, spec: AccountSpec): void => {
    const compiled = compileSpec(spec)
    replay.add(account, compiled)
    const h = hostedNew(account, compiled, null)
    book.host(h)
    hosted.set(account, h)
  }
  const command = (account: string, body: Command): void => {
    const cseq = (cseqs.get(account) ?? 0) + 1
    cseqs.set(account, cseq)
    replay.command(account, body, cseq)
    book.take(hosted.get(account)!, { kind: 'command', command: body, cseq })
  }
  const mid = (symbol: string): number | null => {
    const quote = book.view.symbol(symbol)?.quote
    return quote ? toNumber(quote.bid.price) : null
  }
  let born = 0
  const fresh = (): void => {
    const account = `a${String(born++).padStart(4, '0')}`
    host(account, randomSpec(random))
    command(account, { op: 'create' })
    command(account, { op: 'start' })
  }
  for (const event of randomMarket(random, events, options)) {
    replay.event(event)
    book.feed({ events: [event], ended: [] })
    if (event.mseq % 97 === 0) {
      replay.segment(`h${event.mseq}`, event.mseq)
      book.feed({ events: [], ended: [{ head: `h${event.mseq}`, last: event.mseq }] })
    }
    // some of what was put off waits over many events, some for the next one that needs it
    if (defer && random() < 0.1) book.workOff(1 + Math.floor(random() * 2 * ACCOUNTS))
    if (checkBoxes) for (const h of hosted.values()) expectSafe(book, h, replay.accounts.get(h.account)!.state)
    const running = [...hosted.values()].filter((h) => isRunning(h.state))
    if (event.mseq > 6 && running.length < ACCOUNTS) fresh()
    if (running.length > 0 && random() < 0.2) {
      const { account } = pick(random, running)
      command(account, randomCommand(random, mid, replay.accounts.get(account)!.state))
    }
  }
  book.workOff()
  expect([...indexed].sort()).toEqual([...plain].sort())
  for (const [account, h] of hosted) {
    book.settle(h)
    const want = settle(replay.accounts.get(account)!.state, replay.view)
    expect(encodeDeciding(settle(h.state, book.view))).toEqual(encodeDeciding(want))
  }
  return { touches: book.counters.touches, pairs: events * ACCOUNTS }
}
function expectSafe(book: Book, h: Hosted, state: AccountState): void {
  const check = book.index.checkBox(h.owner, state, h.compiled, book.view)
  if (!check) return
  if (!lte(check.emin, check.equity)) throw new Error('Emin > E')
  if (check.emax && !gte(check.emax, check.equity)) throw new Error('E > Emax')
  if (!check.isSafe) throw new Error('a box that is not safe stands')
}

test('the index decides what a look at every account at every event decides, record for record', () => {
  for (let seed = 1; seed <= 12; seed++) compare(seed, 600, { volatility: 0.004 }, {})
}, 30_000)
test('Emin <= E <= Emax and floorSup <= Emin hold at every event while conversion rates jump wildly', () => {
  for (let seed = 101; seed <= 108; seed++)
    compare(seed, 400, { volatility: 0.003, rateVolatility: 0.08 }, { checkBoxes: true })
})
test('resets, checkpoints and changes of the clock that are put off write what they write at once; boxes hold meanwhile', () => {
  const clocks = ['2024-03-29T08:00:00Z', '2024-10-25T08:00:00Z'].map(Date.parse)
  for (let seed = 201; seed <= 208; seed++) {
    const pace = [20_000, 120_000, 900_000][seed % 3]!
    compare(
      seed,
      400,
      { volatility: 0.002, rateVolatility: 0.01, pace, start: clocks[seed % 2]! },
      { checkBoxes: true, defer: true },
    )
  }
})
test('a calm market touches few accounts', () => {
  const { touches, pairs } = compare(7, 2000, { volatility: 0.0001, pace: 2000 }, {})
  expect(touches).toBeLessThan(pairs / 4)
})
