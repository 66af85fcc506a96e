import { describe, expect, test } from 'bun:test'
import { ConfigError, readConfig } from '../config.ts'

const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => (i * 37 + 11) % 256)).toString('base64')
function problems(env: Record<string, string>): string[] {
  try {
    readConfig({ NODE_ENV: 'production', ENCRYPTION_KEY: KEY, ...env })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ variable }) => variable)
  }
}
const vault = { VAULT_KUBERNETES_ROLE: 'gateway' }
const PLAIN: Record<string, string>[] = [
  { DATABASE_URL: 'postgresql://assay@db.internal/assay' },
  { DATABASE_URL: 'postgresql://assay@db.internal/assay?sslmode=disable' },
  { DATABASE_URL: 'postgresql://assay@db.internal/assay?sslmode=require' },
  { REDIS_URL: 'redis://cache.internal:6379' },
  { REDIS_HOST: 'cache.internal' },
  { DRAGONFLYDB_URL: 'redis://10.0.0.7:6379' },
  { KAFKA_BROKERS: '127.0.0.1:9092, kafka.internal:9092' },
  { VAULT_ADDR: 'http://vault.internal:8200', ...vault },
  { S3_BUCKET: 'b', S3_ENDPOINT: 'http://blobs.internal:7070' },
]

describe('production and servers on other machines', () => {
  test.each(PLAIN)('%j is refused: it would be plain, or nobody would know whom it speaks to (V12.3.2)', (env) => {
    const name = env.DRAGONFLYDB_URL ? 'REDIS_URL' : Object.keys(env).find((variable) => variable !== 'S3_BUCKET')!
    expect(problems(env)).toEqual([name])
  })
  test('none is refused to who says so, nor outside production', () => {
    for (const env of PLAIN) {
      expect(problems({ ...env, ASSAY_PLAIN_SERVERS: 'true' })).toEqual([])
      expect(problems({ ...env, NODE_ENV: 'development' })).toEqual([])
      expect(problems({ ...env, ASSAY_PLAIN_SERVERS: 'false' })).toHaveLength(1)
    }
  })
  test.each([
    { DATABASE_URL: 'postgresql://assay@db.internal/assay?sslmode=verify-full' },
    {
      DATABASE_URL: 'postgresql://assay@127.0.0.1:5433/assay',
      REDIS_URL: 'redis://localhost',
      KAFKA_BROKERS: 'localhost:9092',
    },
    { DATABASE_URL: 'postgresql:///assay?host=/run/postgresql', REDIS_URL: 'redis://[::1]:6379' },
    { REDIS_URL: 'rediss://cache.internal', KAFKA_BROKERS: 'kafka.internal:9092', KAFKA_TLS: 'true' },
    { VAULT_ADDR: 'https://vault.internal:8200', ...vault, S3_BUCKET: 'b', S3_ENDPOINT: 'https://blobs.internal' },
    { VAULT_ADDR: 'http://127.0.0.1:8200', ...vault, S3_BUCKET: 'b' },
  ] as Record<string, string>[])('%j is taken', (env) => {
    expect(problems(env)).toEqual([])
  })
})
