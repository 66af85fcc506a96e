import { describe, expect, test } from 'bun:test'
import { z } from 'zod'
import { ConfigError, readConfig } from './config.ts'

const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => (i * 37 + 11) % 256)).toString('base64')
function problems(env: Record<string, string>, slices: z.ZodType[] = []): string[] {
  try {
    readConfig(env, slices)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ variable }) => variable)
  }
}

test('no variable at all is a working configuration', () => {
  const { platform, production, notices } = readConfig({})
  expect(platform).toMatchObject({
    NODE_ENV: 'development',
    LOG_LEVEL: 'info',
    CORS_ORIGINS: [],
    MARKET_LOG_MAX_BYTES: 20 * 2 ** 30,
  })
  expect(platform.ASSAY_HOME).toEndWith('/.assay')
  expect({ production, notices }).toEqual({ production: false, notices: [] })
})
test('an empty variable is an unset one', () => {
  expect(readConfig({ LOG_LEVEL: '', DATABASE_URL: '' }).platform.LOG_LEVEL).toBe('info')
})
test('every wrong value is named at once', () => {
  const slice = z.object({ SESSION_TIMEOUT_MINUTES: z.coerce.number().int().positive().default(30) })
  const wrong = {
    LOG_LEVEL: 'loud',
    PORT: '99999',
    TRUSTED_PROXIES: '10.0.0.0/40',
    SESSION_TIMEOUT_MINUTES: 'soon',
    MARKET_LOG_MAX_BYTES: 'many',
  }
  expect(problems(wrong, [slice]).sort()).toEqual([
    'LOG_LEVEL',
    'MARKET_LOG_MAX_BYTES',
    'PORT',
    'SESSION_TIMEOUT_MINUTES',
    'TRUSTED_PROXIES',
  ])
})
test('what this release does not bring is refused, not ignored', () => {
  expect(problems({ POSTGRES_URL: 'mysql://x', CLICKHOUSE_URL: 'http://c:8123' })).toEqual([
    'CLICKHOUSE_URL',
    'DATABASE_URL',
  ])
})
test('aliases are used and replaced names pointed out', () => {
  const config = readConfig({ FLASK_ENV: 'test', JWT_SECRET: 'x' })
  expect(config.platform.NODE_ENV).toBe('test')
  expect(config.notices).toEqual([
    'FLASK_ENV is used as NODE_ENV.',
    'JWT_SECRET is not used: replaced by EdDSA keys kept by the secrets port.',
  ])
})
describe('production', () => {
  const safe = { NODE_ENV: 'production', ENCRYPTION_KEY: KEY }
  test('starts with a good key', () => {
    expect(problems(safe)).toEqual([])
    expect(readConfig(safe).production).toBe(true)
  })
  test('starts with nothing that is for tests or debugging, and is not development by mistake (V13.4.2)', () => {
    expect(problems({ ...safe, ASSAY_FAILPOINTS: '/tmp/points:5:commit' })).toEqual(['ASSAY_FAILPOINTS'])
    expect(problems({ ...safe, NODE_ENV: 'debug' })).toEqual(['NODE_ENV'])
    expect(readConfig(safe).platform.LOG_LEVEL).toBe('info')
  })
  test('refuses a missing, short or weak key, limits off, a short password', () => {
    expect(problems({ NODE_ENV: 'production' })).toEqual(['ENCRYPTION_KEY'])
    expect(problems({ ...safe, ENCRYPTION_KEY: 'changeme' })).toEqual(['ENCRYPTION_KEY'])
    expect(problems({ ...safe, ENCRYPTION_KEY: 'ab'.repeat(32) })).toEqual(['ENCRYPTION_KEY'])
    expect(problems({ ...safe, RATE_LIMIT_ENABLED: 'False' })).toEqual(['RATE_LIMIT_ENABLED'])
    expect(problems({ ...safe, ASSAY_OPERATOR_PASSWORD: 'short' })).toEqual(['ASSAY_OPERATOR_PASSWORD'])
  })
})

test('a database URL that cannot work is refused with its reason, never shown', () => {
  const reason = (env: Record<string, string>) => {
    try {
      readConfig(env)
      return []
    } catch (error) {
      return (error as ConfigError).problems.map(({ variable, reason }) => `${variable} ${reason}`)
    }
  }
  expect(reason({ DATABASE_URL: 'postgres://a:secret@db.example/assay?sslmode=always' })).toEqual([
    'DATABASE_URL has sslmode=always; known are disable, allow, prefer, require, verify-ca, verify-full.',
  ])
  expect(reason({ DATABASE_URL: 'secret' })[0]).not.toContain('secret')
  expect(reason({ DATABASE_URL: 'postgres://u:p@aws-0-eu.pooler.supabase.com:6543/postgres' })[0]).toContain(
    'transaction pooler',
  )
  expect(reason({ SUPABASE_URL: 'https://abc.supabase.co', SUPABASE_SERVICE_ROLE_KEY: 'k' })[0]).toContain(
    'SUPABASE_URL needs DATABASE_URL',
  )
  const url = 'postgres://postgres:p@db.abc.supabase.co:5432/postgres'
  expect(reason({ SUPABASE_URL: 'https://abc.supabase.co', DATABASE_URL: url })).toEqual([])
  expect(reason({ SUPABASE_URL: 'https://xyz.supabase.co', DATABASE_URL: url })[0]).toContain('project xyz')
})

describe('services apart', () => {
  const apart = { ASSAY_PEERS: 'https://127.0.0.1:{port}' }
  test('do not start without the files of mutual TLS', () => {
    expect(problems(apart)).toEqual(['TLS_CA_FILE', 'TLS_CERT_FILE', 'TLS_KEY_FILE'])
    expect(problems({ ASSAY_PEERS: 'http://127.0.0.1:{port}' })).toContain('ASSAY_PEERS')
  })
  test('have as many replicas as are named, of services that exist', () => {
    const { ASSAY_REPLICAS } = readConfig({ ASSAY_REPLICAS: 'trading=3, websocket=2' }).platform
    expect(ASSAY_REPLICAS).toEqual({ trading: 3, websocket: 2 })
    for (const wrong of ['trading', 'trading=0', 'trading=17', 'tradng=2', 'trading=-1', 'trading=3;websocket=2'])
      expect([wrong, problems({ ASSAY_REPLICAS: wrong })]).toEqual([wrong, ['ASSAY_REPLICAS']])
  })
})
