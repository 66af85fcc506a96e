import type { EncodedState } from '@assay/core/domain/engine/stored-state'
import type { JournalRecord } from '@assay/core/domain/engine/types'
import type { SealedRecord, StateText } from './seal.ts'
import { checkLoaded, type EngineStore, isLive } from './store.ts'
import type { Loaded, Specs, StoredAnswer } from './types.ts'

export interface MemoryJournal {
  records: JournalRecord[]
  sealed: SealedRecord[]
}
/** An engine store in memory: backtests and tests. Keeps what the database would, decides conflicts alike. */
export interface MemoryStore extends EngineStore {
  journal(account: string): MemoryJournal
  stateHash(account: string): string
  accounts(): string[]
}
interface Kept {
  loaded: Omit<Loaded, 'state'>
  mseq: number
  mts: number
  /** what decides, as it is hashed */
  text: StateText
  status: string
  journal: MemoryJournal
  answers: StoredAnswer[]
}

export function memoryStore(connections = 1): MemoryStore {
  const rows = new Map<string, Kept>()
  const specs: Specs = {}
  const stateOf = ({ loaded, mseq, mts, text }: Kept): EncodedState => ({
    account: loaded.account,
    mseq,
    mts,
    ...JSON.parse(text.text),
  })
  const read = (kept: Kept): Loaded =>
    checkLoaded({ ...kept.loaded, end: { ...kept.loaded.end }, state: stateOf(kept) }, kept.text.hash)
  const find = (account: string): Kept => {
    const kept = rows.get(account)
    if (!kept) throw new RangeError(`no account ${account}`)
    return kept
  }
  return {
    connections,
    async commit(batch, slots) {
      const held = new Set(slots.map((s) => s.slot))
      const committed = new Set<string>()
      for (const s of batch) {
        const { commit } = s
        const before = rows.get(commit.account)
        const stands = commit.born ? !before : before?.loaded.end.aseq === commit.before.aseq
        if (!held.has(commit.slot) || !stands) continue
        const journal = before?.journal ?? { records: [], sealed: [] }
        journal.records.push(...commit.records)
        journal.sealed.push(...s.records)
        const answers = before?.answers ?? []
        if (commit.born) specs[commit.born.specHash] = commit.born.spec
        if (commit.command) {
          const { commandId, clientOrderId, bodyHash, aseq, answer } = commit.command
          answers.push({ commandId, clientOrderId, bodyHash, aseq, answer, receipt: s.receipt! })
        }
        rows.set(commit.account, {
          loaded: {
            account: commit.account,
            slot: commit.slot,
            specHash: commit.born?.specHash ?? before!.loaded.specHash,
            end: s.end,
            deadline: commit.deadline,
            exposed: commit.exposed,
          },
          mseq: commit.state.mseq,
          mts: commit.state.mts,
          text: s.state,
          status: commit.status,
          journal,
          answers,
        })
        committed.add(commit.account)
      }
      return { committed, held }
    },
    async save(batch, slots) {
      const held = new Set(slots.map((s) => s.slot))
      for (const s of batch) {
        const kept = rows.get(s.account)
        if (!kept || !held.has(s.slot) || kept.loaded.end.aseq !== s.aseq) continue
        if (kept.mseq > (s.state.mseq as number)) continue
        kept.loaded = { ...kept.loaded, deadline: s.deadline }
        kept.mseq = s.state.mseq as number
        kept.mts = s.state.mts as number
        kept.text = s.text
      }
    },
    load: async (accounts) => ({ accounts: accounts.flatMap((a) => rows.get(a) ?? []).map(read), specs }),
    loadSlots: async (slots) => {
      const live = [...rows.values()].filter(
        (k) => slots.includes(k.loaded.slot) && isLive(k.status, k.loaded.exposed, stateOf(k)),
      )
      return { accounts: live.map(read), specs }
    },
    newest: async () => Math.max(0, ...[...rows.values()].map((kept) => kept.mseq)),
    async answerOf(account, key) {
      const same =
        'commandId' in key
          ? (a: StoredAnswer) => a.commandId === key.commandId
          : (a: StoredAnswer) => a.clientOrderId === key.clientOrderId
      return rows.get(account)?.answers.find(same) ?? null
    },
    clientOrderIds: async (account) =>
      (rows.get(account)?.answers ?? []).flatMap((a): [string, string][] =>
        a.clientOrderId === null ? [] : [[a.clientOrderId, a.bodyHash]],
      ),
    journal: (account) => find(account).journal,
    stateHash: (account) => find(account).text.hash,
    accounts: () => [...rows.keys()].sort(),
  }
}
