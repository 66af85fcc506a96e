/** For tests and the bench: the index beside the plain replay, in which every account looks at every event. */
import { compileSpec } from '@assay/core/domain/engine/compile'
import { Replay } from '@assay/core/domain/engine/replay'
import { type AccountState, isRunning } from '@assay/core/domain/engine/state'
import { settle } from '@assay/core/domain/engine/step'
import { encodeDeciding } from '@assay/core/domain/engine/stored-state'
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
import { Book } from '../../services/trading/engine/book.ts'
import { type Hosted, hostedNew } from '../../services/trading/engine/hosted.ts'

const ACCOUNTS = 8

export interface Compared {
  /** how often the index looked at an account, and how often the replay did */
  touches: number
  pairs: number
}
export interface CompareOptions {
  /** hold each box against its invariant at every event */
  checkBoxes?: boolean
  /** put off what decides nothing, from the first account on */
  defer?: boolean
}

class World {
  readonly plain = new Map<string, JournalRecord[]>()
  readonly indexed = new Map<string, JournalRecord[]>()
  readonly replay = new Replay(undefined, (account, { records }) => append(this.plain, account, records))
  readonly book: Book
  readonly hosted = new Map<string, Hosted>()
  private readonly cseqs = new Map<string, number>()

  constructor(defer: boolean) {
    this.book = new Book(
      { from: 1, carry: [], head: null },
      (h, { records }) => append(this.indexed, h.account, records),
      undefined,
      defer ? { deferFrom: 1 } : {},
    )
  }
  add(spec: AccountSpec): void {
    const account = `a${String(this.hosted.size).padStart(4, '0')}`
    const compiled = compileSpec(spec)
    this.replay.add(account, compiled)
    const h = hostedNew(account, compiled, null)
    this.book.host(h)
    this.hosted.set(account, h)
    for (const op of ['create', 'start'] as const) this.command(account, { op })
  }
  command(account: string, command: Command): void {
    const cseq = (this.cseqs.get(account) ?? 0) + 1
    this.cseqs.set(account, cseq)
    this.replay.command(account, command, cseq)
    this.book.take(this.hosted.get(account)!, { kind: 'command', command, cseq })
  }
  stateOf(account: string): AccountState {
    return this.replay.accounts.get(account)!.state
  }
  segment(head: string, last: number): void {
    this.replay.segment(head, last)
    this.book.feed({ events: [], ended: [{ head, last }] })
  }

  /** Throws where a record or what decides differs. */
  compare(): void {
    this.book.workOff()
    for (const [account, h] of this.hosted) {
      const [want, got] = [this.plain, this.indexed].map((m) => (m.get(account) ?? []).map((r) => JSON.stringify(r)))
      const at = want!.findIndex((record, i) => record !== got![i])
      if (at >= 0 || want!.length !== got!.length)
        throw new Error(`${account}: record ${at}: ${want!.at(at)} beside ${got!.at(at)}`)
      this.book.settle(h)
      const [a, b] = [settle(this.stateOf(account), this.replay.view), settle(h.state, this.book.view)].map((state) =>
        JSON.stringify(encodeDeciding(state)),
      )
      if (a !== b) throw new Error(`${account}: the state differs: ${a} beside ${b}`)
    }
  }
}
function append(into: Map<string, JournalRecord[]>, account: string, records: readonly JournalRecord[]): void {
  const there = into.get(account)
  if (there) there.push(...records)
  else into.set(account, [...records])
}

function requireSafe(book: Book, h: Hosted, state: AccountState): void {
  const check = book.index.checkBox(h.owner, state, h.compiled, book.view)
  if (!check) return
  if (check.emin && !lte(check.emin, check.equity)) throw new Error(`${h.account}: Emin > E`)
  if (check.emax && !gte(check.emax, check.equity)) throw new Error(`${h.account}: E > Emax`)
  if (!check.isSafe) throw new Error(`${h.account}: a box that is not safe stands`)
}

/** One random world through both: accounts of every rule, orders of every type. Throws at the first difference. */
export function compareWorlds(
  seed: number,
  events: number,
  options: WorldOptions,
  { checkBoxes = false, defer = false }: CompareOptions = {},
): Compared {
  const random = randomOf(seed)
  const world = new World(defer)
  const { book, replay, hosted } = world
  const mid = (symbol: string): number | null => {
    const quote = book.view.symbol(symbol)?.quote
    return quote ? toNumber(quote.bid.price) : null
  }
  for (const event of randomMarket(random, events, options)) {
    replay.event(event)
    book.feed({ events: [event], ended: [] })
    if (event.mseq % 97 === 0) world.segment(`h${event.mseq}`, event.mseq)
    // some of what was put off waits over many events, some for the next one that needs it
    if (defer && random() < 0.1) book.workOff(1 + Math.floor(random() * 2 * ACCOUNTS))
    if (checkBoxes) for (const h of hosted.values()) requireSafe(book, h, world.stateOf(h.account))
    const running = [...hosted.values()].filter((h) => isRunning(h.state))
    if (event.mseq > 6 && running.length < ACCOUNTS) world.add(randomSpec(random))
    if (running.length === 0 || random() >= 0.2) continue
    const { account } = pick(random, running)
    world.command(account, randomCommand(random, mid, world.stateOf(account)))
  }
  world.compare()
  return { touches: book.counters.touches, pairs: events * ACCOUNTS }
}
