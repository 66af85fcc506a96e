import { type Db, DbError } from './port.ts'
import { retried } from './retry.ts'

/** Services that own a schema, the bus is shared; a migration makes the schema. `_tenant`: one acting for a tenant. */
export const ROLES = ['bus', 'gateway', 'gateway_tenant', 'market_data', 'trading', 'trading_tenant'] as const
export const tenantRole = (role: string): string => `${role}_tenant`
const DENIED = '42501'
/** Roles belong to the server, not to one database: another database's migration may be making the same ones. */
const RACES = new Set(['42710', '23505', 'XX000'])
const RACE_MS = 5_000

/**
 * Makes the services' roles where they are missing, and lets the login take them. A superuser may anyway; others need
 * CREATEROLE, or somebody who has it to run what the error says.
 */
export async function ensureRoles(db: Db): Promise<void> {
  await retried(RACE_MS, async () => {
    try {
      await db.tx(async (sql) => {
        const missing = await sql.query<{ role: string; exists: boolean }>(
          `select wanted.role, r.rolname is not null as exists from unnest($1::text[]) as wanted(role)
           left join pg_roles r on r.rolname = wanted.role
           where r.rolname is null or not pg_has_role(current_user, r.oid, 'MEMBER') order by 1`,
          [[...ROLES]],
        )
        for (const { role, exists } of missing) {
          if (!exists) await sql.query(`create role "${role}" nologin`)
          await sql.query(`grant "${role}" to current_user`)
        }
      })
    } catch (error) {
      throw explained(error)
    }
  })
}

function explained(error: unknown): unknown {
  if (!(error instanceof DbError)) return error
  if (RACES.has(error.code)) return new DbError(error.message, error.code, { ...error.options, retryable: true })
  if (error.code !== DENIED) return error
  const statements = ROLES.map((role) => `create role "${role}" nologin; grant "${role}" to <the login>;`).join(' ')
  return new DbError(
    `The database login may not make the services' roles (${error.message}). Give it CREATEROLE, or run as a superuser: ${statements}`,
    error.code,
    error.options,
  )
}
