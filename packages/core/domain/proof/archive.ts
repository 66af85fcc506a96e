/** The parts of a proof archive (docs/proof-format.md). */
import { z } from 'zod'
import type { MarketEvent } from '../market/event.ts'
import type { Newest } from './segment.ts'

export const JOURNAL_FILE = 'journal.jsonl'
export const ENVELOPE_FILE = 'envelope.json'
export const documentFile = (hash: string): string => `docs/${hash}.json`
/** More log text than this is not carried but cited by segment. */
export const MAX_LOG_BYTES = 256 * 2 ** 20

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.int().min(0)
const millis = z.int()

export const signedSchema = z.strictObject({
  assessment: z.string(),
  aseq: count,
  hash,
  kid: z.string(),
  signed_at: millis,
  signature: z.string(),
  path: z.strictObject({ index: count, count, hashes: z.array(hash).max(64) }).optional(),
})
export const keySchema = z.strictObject({
  kid: z.string(),
  alg: z.literal('Ed25519'),
  public_key: z.string(),
  valid_from: millis,
  valid_to: millis.nullable(),
  signed_by: z.string().nullable(),
  signature: z.string().nullable(),
})
export const keysSchema = z.object({ v: z.literal(1), keys: z.array(keySchema) })

export const envelopeSchema = z.strictObject({
  v: z.literal(1),
  /** the name that receipts and signatures use for this chain */
  assessment: z.string().min(1),
  /** ids that the run made; nothing here is hashed or decides */
  ids: z.record(z.string(), z.string()),
  /** last mseq that the archive speaks of: the end of a segment */
  end: count,
  /** for each record: its chain hash, the wall time of its commit, the request that caused it */
  records: z.array(z.tuple([hash, millis.nullable(), z.string().nullable()])),
  receipts: z.array(signedSchema),
  keys: z.array(keySchema),
  log: z.strictObject({
    group: z.string(),
    /** head before the first segment here */
    prev: hash,
    segments: z.array(
      z.strictObject({ first: count, last: count, groups: z.record(z.string(), z.tuple([count, hash])) }),
    ),
    /** Merkle hashes of streams that are here in part: [segment, stream, hashes] */
    proofs: z.array(z.tuple([count, z.string(), z.array(hash)])),
    /** segments that are cited instead of carried: there are no log files then */
    cited: z.array(count).optional(),
  }),
})
export type Envelope = z.infer<typeof envelopeSchema>

/** A line of a log file: event, leaf index in its segment's stream, newest of its symbol before it, 8 hex digits of its leaf hash. */
export interface LeafLine {
  e: MarketEvent
  h: string
  i: number
  p: Newest
}
