import { Replay } from '@assay/core/domain/engine/replay'
import { stateHash } from '@assay/core/domain/engine/step'
import type { JournalRecord } from '@assay/core/domain/engine/types'
import { chain, GENESIS } from '@assay/core/domain/journal/chain'
import type { MarketEvent } from '@assay/core/domain/market/event'
import { compileHeader } from '@assay/core/domain/proof/documents'
import { SegmentBuilder, type SegmentHead } from '@assay/core/domain/proof/segment'
import { bunHash } from '@assay/core/ports/marketlog/bun-hash'
import type { ListedCommand } from './command-list.ts'
import { InputError } from './inputs.ts'

export interface Repeated {
  account: string
  records: JournalRecord[]
  /** end of the chain */
  hash: string
  state_hash: string
  status: string
}

/** Runs a command list over a log: each command after its event, in the list's order. */
export async function repeatRun(
  list: readonly ListedCommand[],
  log: AsyncIterable<readonly MarketEvent[]>,
): Promise<Repeated[]> {
  const journals = new Map<string, JournalRecord[]>()
  const replay = new Replay(undefined, (account, { records }) => {
    const journal = journals.get(account)
    if (journal) journal.push(...records)
    else journals.set(account, [...records])
  })
  const builder = new SegmentBuilder(undefined, [], bunHash())
  let next = 0
  const give = (): void => {
    for (; next < list.length && list[next]!.after <= replay.view.mseq; next++) {
      const { account, body, cseq, header, documents } = list[next]!
      if (header && !replay.accounts.has(account))
        replay.add(account, compileHeader(header, new Map(Object.entries(documents!))))
      if (!replay.accounts.has(account)) throw new InputError(`${account} has no create in the list`)
      replay.command(account, body, cseq, header?.docs)
    }
  }
  // the end of a segment is heard before the next event, or at the run's end
  let ended: SegmentHead | null = null
  const hearEnd = (): void => {
    if (ended) replay.segment(ended.head, ended.last)
    ended = null
  }
  give()
  for await (const events of log) {
    for (const event of events) {
      if (builder.endsBefore(event)) ended = builder.seal()
      hearEnd()
      ended = builder.add(event)
      replay.event(event)
      give()
    }
  }
  ended ??= builder.seal()
  hearEnd()
  if (next < list.length)
    throw new InputError(`the recording ends before event ${list[next]!.after}, after which a command stands`)
  return [...replay.accounts].map(([account, { state }]) => {
    const records = journals.get(account) ?? []
    return {
      account,
      records,
      hash: chain(GENESIS, records).at(-1) ?? GENESIS,
      state_hash: stateHash(state),
      status: state.status,
    }
  })
}
