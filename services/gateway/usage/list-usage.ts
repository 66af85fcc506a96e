import { AssayError } from '@assay/core/contracts/errors'
import { isHouse } from '@assay/core/contracts/scopes'
import { type Page, toPage } from '@assay/core/contracts/wire/page'
import { requireScope } from '@assay/core/kernel/auth'
import type { Actor } from '@assay/core/kernel/context'
import type { Param } from '@assay/core/ports/db/port'
import { z } from 'zod'
import type { GatewayDeps, Verb } from '../deps.ts'
import type { Usage, UsageQuery } from './schemas.ts'
import { toUsage, USAGE_COLUMNS, type UsageRow } from './usage-row.ts'

export interface UsageDeps extends Pick<GatewayDeps, 'database'> {
  /** writes what this process has counted */
  flush: () => Promise<void>
}

/** Usage by day, newest first: one's own, or what an operator asks for of the own tenant; any tenant's for the house. */
export async function listUsage({
  ctx,
  input,
  deps,
}: Omit<Verb<UsageQuery>, 'deps'> & { deps: UsageDeps }): Promise<Page<Usage>> {
  const actor = requireScope(ctx, 'account:read')
  const who = whoseOf(actor, input)
  if (who.others) requireScope(ctx, 'users:read')
  const params: Param[] = []
  const where: string[] = []
  const only = (condition: (at: string) => string, value: Param | undefined) => {
    if (value === undefined) return
    params.push(value)
    where.push(condition(`$${params.length}`))
  }
  only((at) => `user_id = ${at}`, who.userId)
  only((at) => `tenant = ${at}`, who.tenant)
  only((at) => `key_id = ${at}`, input.key_id)
  only((at) => `route_class = ${at}`, input.class)
  only((at) => `day >= ${at}::date`, input.from)
  only((at) => `day <= ${at}::date`, input.to)
  const cursor = placeOf(input.cursor)
  if (cursor) {
    const [day, ...rest] = cursor.map((value) => `$${params.push(value)}`)
    where.push(
      `(day < ${day}::date or day = ${day}::date and (tenant, user_id, key_id, route_class) > (${rest.join(', ')}))`,
    )
  }
  await deps.flush()
  params.push(input.limit + 1)
  const rows = await deps.database.shownTo(actor).query<UsageRow>(
    `select ${USAGE_COLUMNS} from usage ${where.length > 0 ? `where ${where.join(' and ')}` : ''}
      order by day desc, tenant, user_id, key_id, route_class limit $${params.length}`,
    params,
  )
  return toPage(rows, input.limit, toUsage, cursorOf)
}

/** Another tenant's usage is as empty as that of one that does not exist. */
function whoseOf(actor: Actor, { user_id, tenant }: UsageQuery) {
  const isOwn = (user_id ?? actor.userId) === actor.userId && tenant === undefined
  if (isOwn) return { others: false, userId: actor.userId }
  const house = isHouse(actor)
  if (user_id === 'anonymous') return { others: true, userId: house ? '' : NOBODY, tenant: undefined }
  if (!house && tenant !== undefined && tenant !== actor.tenant) return { others: true, userId: NOBODY }
  return { others: true, userId: user_id, tenant: house ? tenant : actor.tenant }
}
/** Nobody has this id. */
const NOBODY = '-'

const Place = z.tuple([z.iso.date(), z.string(), z.string(), z.string(), z.string()])
const cursorOf = ({ day, tenant, user_id, key_id, route_class }: UsageRow): string =>
  Buffer.from(JSON.stringify([day, tenant, user_id, key_id, route_class])).toString('base64url')

function placeOf(cursor: string | undefined): z.infer<typeof Place> | null {
  if (cursor === undefined) return null
  try {
    return Place.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
  } catch (cause) {
    throw new AssayError('validation_failed', 'The cursor is not one that a list gave.', { field: 'cursor', cause })
  }
}
