import { readFileSync } from 'node:fs'

export class DatabaseUrlError extends Error {
  constructor(reason: string) {
    super(`DATABASE_URL ${reason}`)
    this.name = 'DatabaseUrlError'
  }
}
export interface Tls {
  rejectUnauthorized: boolean
  ca?: string
  cert?: string
  key?: string
  checkServerIdentity?: () => undefined
}
const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof MODES)[number]
/** Where the server is and how to reach it; what the URL says, as libpq reads it. */
export interface Target {
  host: string
  port: number
  database: string
  user: string
  password: string | null
  sslmode: SslMode
  /** null: without TLS */
  tls: Tls | null
}
const OPTIONS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'host', 'port', 'user', 'password', 'application_name']
/** Supabase's poolers keep no session between transactions on this port. */
const SUPABASE_TRANSACTION_PORT = 6543

/** Reads postgresql://user:password@host:port/database?sslmode=…; DatabaseUrlError says what is wrong with it. */
export function readDatabaseUrl(text: string): Target {
  const url = parse(text)
  const option = (name: string) => url.searchParams.get(name) ?? undefined
  for (const name of url.searchParams.keys()) {
    if (!OPTIONS.includes(name)) throw new DatabaseUrlError(`has the unknown option "${name}".`)
  }
  const host = option('host') ?? (decode(url.hostname).replace(/^\[|\]$/g, '') || 'localhost')
  if (host.includes(',')) throw new DatabaseUrlError('names several hosts; give one.')
  const port = Number(option('port') ?? (url.port || 5432))
  const isSupabase = /\.supabase\.(co|com)$/.test(host)
  if (isSupabase && port === SUPABASE_TRANSACTION_PORT) {
    throw new DatabaseUrlError(
      "is Supabase's transaction pooler, which keeps no roles or prepared statements: use the direct connection or the session pooler, port 5432.",
    )
  }
  const user = option('user') ?? decode(url.username)
  const sslmode = mode(option('sslmode') ?? (isSupabase ? 'require' : 'prefer'))
  const isLocal = host.startsWith('/')
  return {
    host,
    port,
    database: decode(url.pathname.slice(1)) || user || 'postgres',
    user: user || 'postgres',
    password: option('password') ?? (decode(url.password) || null),
    sslmode,
    tls: isLocal || sslmode === 'disable' || sslmode === 'allow' ? null : tlsOf(sslmode, option),
  }
}

function parse(text: string): URL {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    // the text is a secret: never shown
    throw new DatabaseUrlError('is not a URL: postgresql://user:password@host:5432/database is one.')
  }
  if (!/^(postgres|postgresql|cockroachdb):$/.test(url.protocol)) {
    throw new DatabaseUrlError(`must begin with postgresql://, not ${url.protocol}//.`)
  }
  return url
}
function mode(text: string): SslMode {
  const known = MODES.find((each) => each === text)
  if (!known) throw new DatabaseUrlError(`has sslmode=${text}; known are ${MODES.join(', ')}.`)
  return known
}

/** require encrypts only, and checks the chain where a root is given; verify-ca checks the chain, verify-full the name too. */
function tlsOf(sslmode: SslMode, option: (name: string) => string | undefined): Tls {
  const file = (name: string) => {
    const path = option(name)
    if (path === undefined || path === 'system') return undefined
    try {
      return readFileSync(path, 'utf8')
    } catch (cause) {
      throw new DatabaseUrlError(`names ${name}=${path}, which cannot be read: ${(cause as Error).message}`)
    }
  }
  const ca = file('sslrootcert')
  const cert = file('sslcert')
  const key = file('sslkey')
  const verifies = sslmode.startsWith('verify') || (sslmode === 'require' && option('sslrootcert') !== undefined)
  return {
    rejectUnauthorized: verifies,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(sslmode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  }
}

const decode = (text: string): string => decodeURIComponent(text)

/** What a log may say: never the password. */
export const describeTarget = ({ host, port, database, sslmode }: Target): string =>
  `${host}:${port}/${database} (sslmode ${sslmode})`
