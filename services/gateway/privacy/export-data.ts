import { AssayError } from '@assay/core/contracts/errors'
import { recordAudit } from '@assay/core/kernel/audit'
import type { Ctx } from '@assay/core/kernel/context'
import { type PersonalPage, readPersonal } from '@assay/core/kernel/personal-data'
import type { CallOptions, Deps } from '@assay/core/kernel/service'
import { type ZipFile, zipStream } from '@assay/core/kernel/zip-stream'
import { z } from 'zod'
import type { GatewayDeps, Verb } from '../deps.ts'
import type { ExportQuery } from './schemas.ts'
import { subjectOf } from './subject.ts'
import { GATEWAY_TABLES } from './tables.ts'

export interface ExportDeps extends GatewayDeps {
  call: Deps['call']
  /** users whose exports are under way in this process, and since when, monotonic ms */
  exporting: Map<string, number>
}
/** Services that hold rows about users, beside the gateway. */
const SERVICES = ['trading'] as const
/** Each export reads the database page by page for as long as its reader takes. */
const AT_ONCE = 16
/** After this it is not counted any more: its reader may have gone without a word. */
const TURN_MS = 900_000

/** Everything about a user as a zip of JSON, a file for each table of each service, made while it is read. */
export async function exportData({
  ctx,
  input,
  deps,
}: Omit<Verb<ExportQuery>, 'deps'> & { deps: ExportDeps }): Promise<ReadableStream<Uint8Array>> {
  const { actor, user } = await subjectOf(deps.database, {
    ctx,
    userId: input.user_id,
    own: 'account:read',
    ofOthers: 'users:read',
  })
  const { id: userId, tenant } = user
  const release = takeTurn(deps, userId)
  ctx.signal?.addEventListener('abort', release, { once: true })
  try {
    // a service that is away is an answer of its own, not a zip that breaks off
    const sources = await sourcesOf(deps, { userId, ctx })
    await deps.database.inTransaction((sql) =>
      recordAudit(sql, { action: 'privacy.exported', actor: actor.userId, tenant, detail: { user: userId } }),
    )
    return zipStream(released(filesOf(sources, userId, deps), release))
  } catch (error) {
    release()
    throw error
  }
}

/** Throws unavailable while the user has one under way, or too many others have. */
function takeTurn({ exporting, clock }: ExportDeps, userId: string): () => void {
  const now = clock.monotonic()
  for (const [user, since] of exporting) if (now - since > TURN_MS) exporting.delete(user)
  if (exporting.size >= AT_ONCE || exporting.has(userId))
    throw new AssayError('unavailable', 'Another export is under way.', { retryAfterS: 10, retryable: true })
  exporting.set(userId, now)
  return () => {
    if (exporting.get(userId) === now) exporting.delete(userId)
  }
}

interface Source {
  table: string
  why: string
  page(after: string | null): Promise<PersonalPage>
}

interface Asked {
  userId: string
  ctx: Ctx
}
async function sourcesOf(deps: ExportDeps, asked: Asked): Promise<Source[]> {
  const { userId } = asked
  const own = GATEWAY_TABLES.filter(({ columns }) => columns.length > 0).map((one) => ({
    table: one.table,
    why: one.why,
    page: (after: string | null) => readPersonal(deps.database, one, { userId, after }),
  }))
  const others = await Promise.all(SERVICES.map((service) => sourcesIn(service, deps, asked)))
  return [...own, ...others.flat()]
}

const Tables = z.object({ tables: z.array(z.object({ table: z.string(), why: z.string() })) })
const Page = z.object({ rows: z.array(z.record(z.string(), z.unknown())), next: z.string().nullable() })

async function sourcesIn(service: string, { call }: ExportDeps, { userId, ctx }: Asked): Promise<Source[]> {
  const ask = async (path: string, options?: CallOptions): Promise<unknown> => {
    const answer = await call(service, new Request(`http://${service}${path}`), options)
    if (!answer.ok) throw new AssayError('unavailable', `${service} answers ${answer.status}.`, { retryAfterS: 5 })
    return answer.json()
  }
  const { tables } = Tables.parse(await ask('/internal/privacy', { ctx }))
  return tables.map(({ table, why }) => ({
    table,
    why,
    async page(after) {
      const query = new URLSearchParams({ table, ...(after !== null && { cursor: after }) })
      return Page.parse(await ask(`/internal/privacy/${userId}?${query}`))
    },
  }))
}

async function* filesOf(sources: readonly Source[], userId: string, { clock }: ExportDeps): AsyncGenerator<ZipFile> {
  const tables = Object.fromEntries(sources.map(({ table, why }) => [fileOf(table), why]))
  const about = { user: userId, exported_at: new Date(clock.now()).toISOString(), files: tables }
  yield { name: 'about.json', parts: once(`${JSON.stringify(about, null, 2)}\n`) }
  for (const source of sources) yield { name: fileOf(source.table), parts: rowsOf(source) }
}
const fileOf = (table: string): string => `${table.replace('.', '/')}.json`

async function* once(text: string): AsyncGenerator<string> {
  yield text
}

async function* rowsOf({ page }: Source): AsyncGenerator<string> {
  let after: string | null = null
  let before = '['
  do {
    const { rows, next }: PersonalPage = await page(after)
    const texts: string[] = rows.map((row) => JSON.stringify(row))
    if (texts.length > 0) yield `${before}\n${texts.join(',\n')}`
    if (texts.length > 0) before = ','
    after = next
  } while (after !== null)
  yield before === '[' ? '[]\n' : '\n]\n'
}

async function* released<T>(items: AsyncGenerator<T>, release: () => void): AsyncGenerator<T> {
  try {
    yield* items
  } finally {
    release()
  }
}
