import { auditHash, NO_HASH } from '@assay/core/domain/audit/chain'
import { type Checkpoint, checkpointHash, readCheckpoint } from '@assay/core/domain/audit/checkpoint'
import { parseCanonical } from '@assay/core/domain/journal/canonical'
import type { JournalKey } from '@assay/core/domain/journal/keys'
import type { Blobs } from '@assay/core/ports/blobs/port'
import type { Sql } from '@assay/core/ports/db/port'
import { AUDIT_COLUMNS, type StoredAudit } from './audit-row.ts'
import { CHECKPOINTS } from './write-checkpoint.ts'

export interface VerifyAudit {
  /** the gateway's schema, as the platform's owner or its role sees it */
  sql: Pick<Sql, 'query'>
  blobs: Pick<Blobs, 'get' | 'list'>
  /** trusted, by kid */
  keys: ReadonlyMap<string, JournalKey>
  /** one chain; absent: all */
  tenant?: string | undefined
  /** rows before this one are taken as they are */
  from?: number | undefined
}
export interface AuditFinding {
  /** `<tenant>/<seq>` or a checkpoint's name */
  place: string
  said: string
}
export interface AuditVerified {
  findings: AuditFinding[]
  rows: number
  checkpoints: number
  chains: { tenant: string; seq: number; hash: string }[]
}

/** What signed checkpoints say of one chain, by seq; more than one hash: it was another chain once. */
type Witnessed = Map<number, { hash: string; by: string }[]>
const PAGE = 1_000
/** Findings told of one chain: one stroke can break every row after it. */
const TOLD = 20

/** Recomputes every chain and holds it against its signed checkpoints: what was changed, taken out, cut off, put elsewhere or written anew. */
export async function verifyAudit({ sql, blobs, keys, tenant, from = 1 }: VerifyAudit): Promise<AuditVerified> {
  const { findings, witnessed, checkpoints } = await readCheckpoints({ sql, blobs, keys }, tenant)
  const heads = await sql.query<{ tenant: string; seq: string; hash: string }>(
    `select tenant, seq, hash from gateway.audit_head where $1::text is null or tenant = $1
     union all
     select distinct on (tenant) tenant, 0, '' from gateway.audit a where ($1::text is null or tenant = $1)
       and not exists (select from gateway.audit_head h where h.tenant = a.tenant)
     order by tenant`,
    [tenant ?? null],
  )
  const chains: AuditVerified['chains'] = []
  let rows = 0
  for (const name of new Set([...heads.map((head) => head.tenant), ...witnessed.keys()])) {
    const head = heads.find((one) => one.tenant === name)
    const chain = await followChain(sql, { tenant: name, from, witnessed: witnessed.get(name) ?? new Map() })
    rows += chain.rows
    chains.push({ tenant: name, seq: chain.seq, hash: chain.hash })
    const ends = {
      place: `${name}/${chain.seq}`,
      said: 'the chain does not end where its head says: rows were cut off or added',
    }
    if (!head || Number(head.seq) !== chain.seq || (chain.seq > 0 && head.hash !== chain.hash))
      chain.findings.push(ends)
    findings.push(...chain.findings.slice(0, TOLD))
  }
  return { findings, rows, checkpoints, chains }
}

async function followChain(
  sql: Pick<Sql, 'query'>,
  { tenant, from, witnessed }: { tenant: string; from: number; witnessed: Witnessed },
) {
  const findings: AuditFinding[] = []
  let rows = 0
  let seq = from - 1
  let hash = seq === 0 ? NO_HASH : null
  for (;;) {
    const page = await sql.query<StoredAudit>(
      `select ${AUDIT_COLUMNS} from gateway.audit where tenant = $1 and seq > $2 order by seq limit ${PAGE}`,
      [tenant, seq],
    )
    for (const row of page) {
      const at = Number(row.seq)
      const tell = (said: string) => void findings.push({ place: `${tenant}/${at}`, said })
      if (at !== seq + 1) tell(`the ${at - seq - 1} rows before it are gone`)
      else if (hash !== null && row.prev !== hash)
        tell('does not follow the row before it: order or content was changed')
      if (hashOf(row) !== row.hash) tell('is not what was hashed: it was changed')
      for (const { by, hash: held } of witnessed.get(at) ?? [])
        if (held !== row.hash) tell(`is not what checkpoint ${by} holds: the chain was rewritten`)
      seq = at
      hash = row.hash
    }
    findings.push(...(await checkJournals(sql, page)))
    rows += page.length
    if (page.length < PAGE) break
  }
  const last = [...witnessed.keys()].reduce((most, one) => Math.max(most, one), 0)
  if (last > seq)
    findings.push({ place: `${tenant}/${last}`, said: `is gone: checkpoint ${witnessed.get(last)![0]!.by} holds it` })
  return { findings, rows, seq, hash: hash ?? '' }
}

interface ToldJournal {
  account: string
  aseq: number
  hash: string
}
/** Orders are told by their journals: each must still have the record that was told. */
async function checkJournals(sql: Pick<Sql, 'query'>, page: readonly StoredAudit[]): Promise<AuditFinding[]> {
  const told = page
    .filter(({ action }) => action === 'journals.extended')
    .flatMap(({ tenant, seq, detail }) =>
      journalsIn(detail).map((journal) => ({ ...journal, place: `${tenant}/${seq}` })),
    )
  if (told.length === 0) return []
  const broken = await sql.query<{ place: string; account: string; aseq: string }>(
    `select t.place, t.account, t.aseq from unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) as t(place, account, aseq, hash)
       left join trading.journal j on j.account = t.account and j.aseq = t.aseq where j.hash is distinct from t.hash`,
    [
      told.map(({ place }) => place),
      told.map(({ account }) => account),
      told.map(({ aseq }) => aseq),
      told.map(({ hash }) => hash),
    ],
  )
  return broken.map(({ place, account, aseq }) => ({
    place,
    said: `told record ${aseq} of the journal ${account}, which is another one or gone`,
  }))
}

function journalsIn(detail: string): ToldJournal[] {
  try {
    const { journals } = JSON.parse(detail) as { journals: ToldJournal[] }
    return journals.filter(({ account, aseq, hash }) => account && hash && Number.isSafeInteger(aseq))
  } catch {
    return []
  }
}

function hashOf({ prev, seq, at, detail, ...row }: StoredAudit): string | null {
  try {
    return auditHash(prev, { ...row, seq: Number(seq), at: at.toISOString(), detail: parseCanonical(detail) })
  } catch {
    return null
  }
}

async function readCheckpoints({ sql, blobs, keys }: VerifyAudit, tenant: string | undefined) {
  const findings: AuditFinding[] = []
  const witnessed = new Map<string, Witnessed>()
  const recorded = await sql.query<{ number: string; name: string; hash: string }>(
    'select number, name, hash from gateway.audit_checkpoint order by number',
  )
  const expected = new Map(recorded.map((row) => [row.name, row]))
  let checkpoints = 0
  for await (const name of names(blobs)) {
    const tell = (said: string) => void findings.push({ place: name, said })
    const text = new TextDecoder().decode((await blobs.get(name)) ?? new Uint8Array())
    const read = readCheckpoint(text, keys)
    const row = expected.get(name)
    expected.delete(name)
    if (row && checkpointHash(text) !== row.hash) tell('is not the checkpoint that was recorded')
    if (typeof read === 'string') {
      tell(read)
      continue
    }
    checkpoints++
    if (row) checkOrder(read, recorded, tell)
    witness(witnessed, read, tenant)
  }
  for (const { name } of expected.values()) findings.push({ place: name, said: 'is gone: it was recorded' })
  return { findings, witnessed, checkpoints }
}

/** Recorded checkpoints are numbered without a gap, each naming the one before. */
function checkOrder(
  { number, previous }: Checkpoint,
  recorded: readonly { number: string; hash: string }[],
  tell: (said: string) => void,
): void {
  const before = recorded[number - 2]
  if (Number(recorded[number - 1]?.number) !== number || previous !== (before?.hash ?? null))
    tell('does not follow the recorded checkpoint before it')
}

function witness(witnessed: Map<string, Witnessed>, { number, heads }: Checkpoint, tenant: string | undefined): void {
  for (const [name, { seq, hash }] of Object.entries(heads)) {
    if (tenant !== undefined && name !== tenant) continue
    const chain: Witnessed = witnessed.get(name) ?? new Map()
    const held = chain.get(seq) ?? []
    if (!held.some((one) => one.hash === hash)) held.push({ hash, by: String(number) })
    witnessed.set(name, chain.set(seq, held))
  }
}

async function* names(blobs: Pick<Blobs, 'list'>): AsyncGenerator<string> {
  let after: string | undefined
  for (;;) {
    const page = await blobs.list(CHECKPOINTS, { limit: PAGE, ...(after !== undefined && { after }) })
    yield* page
    if (page.length < PAGE) return
    after = page.at(-1)
  }
}
