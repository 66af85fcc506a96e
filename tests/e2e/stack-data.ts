import { readFileSync } from 'node:fs'
import { openS3Blobs } from '@assay/core/ports/blobs/s3'
import { systemClock } from '@assay/core/ports/clock/system'
import { openVault, type VaultSecrets } from '@assay/core/ports/secrets/vault'
import pg from 'pg'
import { envFile } from '../../scripts/stack/stack.ts'

/** What the servers of a stack hold, past the platform, as who runs them sees it. */
export interface StackData {
  /** the variables that point Assay at them */
  env: Readonly<Record<string, string>>
  query<T extends pg.QueryResultRow>(sql: string, params?: unknown[]): Promise<T[]>
  secrets: VaultSecrets
  blobs: Awaited<ReturnType<typeof openS3Blobs>>
  close(): Promise<void>
}

export async function openStackData(home: string): Promise<StackData> {
  const lines = readFileSync(envFile(home), 'utf8').match(/^\w+=.*$/gm) ?? []
  const env = Object.fromEntries(lines.map((line) => [line.split('=')[0]!, line.slice(line.indexOf('=') + 1)]))
  const client = new pg.Client({ connectionString: env.DATABASE_URL })
  // the stack may end before whoever looks at it
  client.on('error', () => {})
  await client.connect()
  const secrets = await openVault({
    address: env.VAULT_ADDR!,
    login: { method: 'token', token: env.VAULT_TOKEN!, refuseRoot: false },
    clock: systemClock,
    log: { info() {}, warn() {} },
  })
  const blobs = await openS3Blobs({
    bucket: env.S3_BUCKET!,
    region: env.S3_REGION ?? 'us-east-1',
    endpoint: env.S3_ENDPOINT,
    accessKeyId: env.S3_ACCESS_KEY_ID,
    secretAccessKey: env.S3_SECRET_ACCESS_KEY,
    clock: systemClock,
  })
  return {
    env,
    query: async (sql, params) => (await client.query(sql, params)).rows,
    secrets,
    blobs,
    async close() {
      await client.end()
      await secrets.close()
      await blobs.close()
    },
  }
}
