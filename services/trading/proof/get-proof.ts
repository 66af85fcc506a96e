import { AssayError } from '@assay/core/contracts/errors'
import { buildProof, NotSealedError } from '@assay/core/domain/proof/build'
import type { Header } from '@assay/core/domain/proof/documents'
import type { Blobs } from '@assay/core/ports/blobs/port'
import { bunHash } from '@assay/core/ports/marketlog/bun-hash'
import { openAssessment } from '../access.ts'
import type { TradingDeps, Verb } from '../deps.ts'
import { readDocuments } from './keep-documents.ts'
import type { JournalKeyring } from './keys.ts'
import { logSource } from './log-source.ts'
import { type Chain, readChain } from './read-chain.ts'

export interface ProofDeps {
  trading: TradingDeps
  blobs: Blobs
  keys: JournalKeyring
}
export type ProofAnswer =
  /** the verdict's segment has not ended: ask again */
  | { kind: 'later'; retryAfterS: number }
  | { kind: 'same'; etag: string }
  | { kind: 'proof'; etag: string; bytes: Uint8Array }

/** A segment ends within a minute of market time. */
const RETRY_S = 5
/** One build at a time for each proof: others wait for it. */
const building = new Map<string, Promise<Uint8Array>>()

export async function getProof(
  verb: Omit<Verb<{ id: string; ifNoneMatch: string | null }>, 'deps'> & { deps: ProofDeps },
): Promise<ProofAnswer> {
  const { ctx, input, deps } = verb
  await openAssessment({ ctx, input, deps: deps.trading }, 'trading:read')
  const chain = await readChain(deps.trading.db, input.id)
  const header = chain.records[0]
  if (header?.kind !== 'header') throw new AssayError('not_found', 'The assessment has no journal yet.')
  if (!isSealed(chain)) return { kind: 'later', retryAfterS: RETRY_S }
  const name = await nameOf(deps, chain, header)
  if (name === null) return { kind: 'later', retryAfterS: RETRY_S }
  const etag = `"${name}"`
  if (input.ifNoneMatch?.split(',').some((tag) => tag.trim() === etag)) return { kind: 'same', etag }
  const bytes = await proofOf(deps, input.id, name, chain, header)
  return bytes ? { kind: 'proof', etag, bytes } : { kind: 'later', retryAfterS: RETRY_S }
}

/** Every verdict has its sealed record. */
function isSealed({ records }: Chain): boolean {
  const sealed = new Set(records.flatMap((r) => (r.kind === 'sealed' ? [r.verdict_aseq] : [])))
  return records.every((r) => r.kind !== 'verdict' || sealed.has(r.aseq))
}

/** What a proof is named by: the chain's end, and for a running assessment how far its log is sealed. */
async function nameOf(deps: ProofDeps, chain: Chain, header: Header & { mseq: number }): Promise<string | null> {
  const end = chain.envelope.at(-1)!.hash.slice(0, 40)
  if (chain.records.some((r) => r.kind === 'verdict')) return end
  const log = deps.trading.marketlog
  const newest = await log.end(header.group)
  const heads = await log.segments(header.group, Math.max(1, (newest?.mseq ?? 1) - 2 * 65_536), Number.MAX_SAFE_INTEGER)
  const sealed = heads.at(-1)?.last
  return sealed === undefined || sealed < header.mseq ? null : `${end}-${sealed}`
}

async function proofOf(
  deps: ProofDeps,
  id: string,
  name: string,
  chain: Chain,
  header: Header,
): Promise<Uint8Array | null> {
  const path = `proofs/${id}/${name}.proof`
  const kept = await deps.blobs.get(path)
  if (kept) return kept
  let build = building.get(path)
  if (!build) {
    build = makeProof(deps, id, chain, header).finally(() => building.delete(path))
    building.set(path, build)
  }
  try {
    const bytes = await build
    // a running assessment's proof is passing
    if (chain.records.some((r) => r.kind === 'verdict')) await deps.blobs.put(path, bytes)
    return bytes
  } catch (error) {
    if (error instanceof NotSealedError) return null
    throw error
  }
}

async function makeProof(deps: ProofDeps, assessment: string, chain: Chain, header: Header): Promise<Uint8Array> {
  const { db, marketlog } = deps.trading
  return buildProof({
    assessment,
    ids: { assessment },
    ...chain,
    documents: await readDocuments(db, header.docs),
    keys: deps.keys.document().keys,
    group: header.group,
    log: logSource(marketlog, header.group),
    keep: (head, file) => deps.blobs.put(segmentBlob(head), file),
    tree: bunHash(),
  })
}
/** Where a cited segment lies, once however many proofs cite it. */
export const segmentBlob = (head: string): string => `segments/${head}.jsonl.gz`
