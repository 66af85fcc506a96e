import { DATABASE_ROLE } from '@assay/core/contracts/secrets'
import { readDatabaseUrl } from '@assay/core/ports/db/postgres-url'
import pg from 'pg'
import { UsageError } from '../options.ts'
import type { VaultAdmin } from './admin.ts'

export interface DatabaseLogin {
  /** of a login that may make roles */
  url: string
  /** owns the platform's objects; issued logins act as it */
  owner: string
  /** how long a login lives, and at most with renewals */
  ttl?: string
  maxTtl?: string
}
const CONNECTION = 'assay'

/** Logins for an hour, renewed up to a day. They own nothing: whatever they make belongs to `owner`. */
export async function setUpDatabase(
  vault: VaultAdmin,
  { url, owner, ttl = '1h', maxTtl = '24h' }: DatabaseLogin,
  progress: (line: string) => void,
): Promise<void> {
  const { host, port, database, user, password, sslmode } = readDatabaseUrl(url)
  if (password === null)
    throw new UsageError('--database needs a password in its URL: the secrets server logs in with it')
  await makeOwner(url, owner, progress)
  await vault.call('POST', `database/config/${CONNECTION}`, {
    plugin_name: 'postgresql-database-plugin',
    connection_url: `postgresql://{{username}}:{{password}}@${host}:${port}/${encodeURIComponent(database)}?sslmode=${sslmode}`,
    username: user,
    password,
    password_authentication: 'scram-sha-256',
    allowed_roles: [DATABASE_ROLE],
  })
  await vault.call('POST', `database/roles/${DATABASE_ROLE}`, {
    db_name: CONNECTION,
    default_ttl: ttl,
    max_ttl: maxTtl,
    creation_statements: [
      `create role "{{name}}" with login password '{{password}}' valid until '{{expiration}}' in role ${pg.escapeIdentifier(owner)}`,
    ],
    renew_statements: [`alter role "{{name}}" valid until '{{expiration}}'`],
    revocation_statements: [
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = '{{name}}'`,
      `drop role if exists "{{name}}"`,
    ],
  })
  progress(`database/${DATABASE_ROLE}: logins for ${ttl}, at most ${maxTtl}, acting as ${owner}`)
}

/** A role without a login that may make the services' roles and schemas. */
async function makeOwner(url: string, owner: string, progress: (line: string) => void): Promise<void> {
  const { database } = readDatabaseUrl(url)
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect().catch((error: Error) => {
    throw new UsageError(`--database: ${error.message}`)
  })
  try {
    const name = pg.escapeIdentifier(owner)
    const { rows } = await client.query('select rolsuper from pg_roles where rolname = $1', [owner])
    if (rows[0]?.rolsuper)
      throw new UsageError(`--owner ${owner} is a superuser: every issued login would be one; name another role`)
    if (rows.length === 0) {
      await client.query(`create role ${name} nologin createrole`)
      progress(`database role ${owner} was made`)
    }
    await client.query(`grant create, connect, temporary on database ${pg.escapeIdentifier(database)} to ${name}`)
    await client.query(`grant usage, create on schema public to ${name}`)
  } finally {
    await client.end()
  }
}
