import { AssayError } from '@assay/core/contracts/errors'
import { buildProof, LogGoneError, NotSealedError } from '@assay/core/domain/proof/build'
import type { Header } from '@assay/core/domain/proof/documents'
import type { Blobs } from '@assay/core/ports/blobs/port'
import type { Row } from '@assay/core/ports/db/port'
import { bunHash } from '@assay/core/ports/marketlog/bun-hash'
import type { CallerDeps, TradingDeps } from '../deps.ts'
import { readDocuments } from './keep-documents.ts'
import type { JournalKeyring } from './keys.ts'
import { logSource } from './log-source.ts'
import { type Chain, readChain } from './read-chain.ts'

export interface ProofDeps {
  trading: TradingDeps
  blobs: Blobs
  keys: JournalKeyring
}
export type CallerProofDeps = ProofDeps & { trading: CallerDeps }
/** What there is to prove now. */
export interface Provable {
  id: string
  chain: Chain
  header: Header & { mseq: number }
  /** the chain's end, and for one that can still grow how far its log is sealed */
  name: string
  /** the verdict is sealed, nothing is left to close, and all of the chain is in sealed segments */
  final: boolean
}

/** Null: no journal. `unsealed`: a verdict's segment has not ended, or none has since the assessment was created. */
export async function findProvable(deps: ProofDeps, id: string): Promise<Provable | 'unsealed' | null> {
  const { db, marketlog } = deps.trading
  const chain = await readChain(db, id)
  const header = chain.records[0]
  if (header?.kind !== 'header') return null
  const sealed = new Set(chain.records.flatMap((r) => (r.kind === 'sealed' ? [r.verdict_aseq] : [])))
  if (chain.records.some((r) => r.kind === 'verdict' && !sealed.has(r.aseq))) return 'unsealed'
  const newest = await marketlog.end(header.group)
  // a segment holds at most 65,536 events, so the newest sealed one is among these
  const heads = await marketlog.segments(
    header.group,
    Math.max(1, (newest?.mseq ?? 1) - 2 * 65_536),
    Number.MAX_SAFE_INTEGER,
  )
  const end = heads.at(-1)?.last ?? 0
  if (end < Math.max(1, header.mseq)) return 'unsealed'
  const [account] = await db.query<Row & { exposed: boolean }>(
    'select exposed from trading.account where account = $1',
    [id],
  )
  const final = sealed.size > 0 && account?.exposed === false && chain.records.at(-1)!.mseq <= end
  const hash = nameOf(chain.envelope.at(-1)!.hash)
  return { id, chain, header, name: final ? hash : `${hash}-${end}`, final }
}

/** One build at a time for each proof: others wait for it. */
const building = new Map<string, Promise<Uint8Array>>()
const nameOf = (hash: string): string => hash.slice(0, 40)
const blobOf = ({ id, name }: Pick<Provable, 'id' | 'name'>): string => `proofs/${id}/${name}.proof`
/** Where a cited segment lies, once however many proofs cite it. */
export const segmentBlob = (head: string): string => `segments/${head}.jsonl.gz`

/** The archive; a final one is made once and kept. Null: the log is not sealed far enough yet. */
export async function makeProof(deps: ProofDeps, provable: Provable): Promise<Uint8Array | null> {
  const path = blobOf(provable)
  const kept = await deps.blobs.get(path)
  if (kept) return kept
  let build = building.get(path)
  if (!build) {
    build = buildAndKeep(deps, provable, path).finally(() => building.delete(path))
    building.set(path, build)
  }
  try {
    return await build
  } catch (error) {
    if (error instanceof NotSealedError) return null
    if (!(error instanceof LogGoneError)) throw error
    const whole = await keptProof(deps, provable.id)
    if (whole) return whole
    throw new AssayError('unavailable', 'The market log that this proof stands on is gone.', { cause: error })
  }
}

/** The proof as it was kept: refusals that came after it are not in it. */
export async function keptProof(deps: ProofDeps, id: string): Promise<Uint8Array | null> {
  const [row] = await deps.trading.db.query<Row & { hash: string }>(
    'select hash from trading.proof where account = $1',
    [id],
  )
  return row ? deps.blobs.get(blobOf({ id, name: nameOf(row.hash) })) : null
}

async function buildAndKeep(
  deps: ProofDeps,
  { id, chain, header, final }: Provable,
  path: string,
): Promise<Uint8Array> {
  const { db, marketlog } = deps.trading
  const bytes = await buildProof({
    assessment: id,
    ids: { assessment: id },
    ...chain,
    documents: await readDocuments(db, header.docs),
    keys: deps.keys.document().keys,
    group: header.group,
    log: logSource(marketlog, header.group),
    keep: (head, file) => deps.blobs.put(segmentBlob(head), file),
    tree: bunHash(),
  })
  if (!final) return bytes
  await deps.blobs.put(path, bytes)
  await db.query(
    `insert into trading.proof (account, hash, bytes) values ($1, $2, $3)
     on conflict (account) do update set hash = excluded.hash, bytes = excluded.bytes, kept_at = now()`,
    [id, chain.envelope.at(-1)!.hash, bytes.length],
  )
  return bytes
}
