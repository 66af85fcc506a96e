import { z } from 'zod'
import type { ConfigProblem } from './problem.ts'

const port = z.coerce.number().int().min(1).max(65_535)
/** The variables of cache, limits, secrets, blobs and payments on servers. */
export const storeVariables = {
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\/./, 'must be redis://[user:password@]host[:port], or rediss:// for TLS')
    .optional(),
  REDIS_HOST: z.string().optional(),
  REDIS_PORT: port.optional(),
  REDIS_PASSWORD: z.string().optional(),
  REDIS_CA_FILE: z.string().optional(),
  VAULT_ADDR: z.url({ protocol: /^https?$/, error: 'must be a URL such as https://vault.internal:8200' }).optional(),
  VAULT_TOKEN: z.string().optional(),
  VAULT_ROLE_ID: z.string().optional(),
  VAULT_SECRET_ID: z.string().optional(),
  VAULT_KUBERNETES_ROLE: z.string().optional(),
  VAULT_DATABASE_ROLE: z.string().optional(),
  VAULT_CACERT: z.string().optional(),
  S3_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be a URL such as https://s3.example' }).optional(),
  S3_BUCKET: z.string().optional(),
  S3_REGION: z.string().default('us-east-1'),
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  PAYMENTS: z.literal('test', 'must be test, the only provider of this release').optional(),
}
const slice = z.object(storeVariables)
export type StoreConfig = z.infer<typeof slice>

/** Which variables contradict each other or lack their other half. */
export function storeProblems(values: Readonly<Record<string, string>>): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const refuse = (variable: string, reason: string) => problems.push({ variable, reason })
  const isSet = (name: string) => values[name] !== undefined
  if (isSet('REDIS_URL') && isSet('REDIS_HOST')) refuse('REDIS_HOST', 'REDIS_URL is set too: set one of them')
  for (const name of ['REDIS_PORT', 'REDIS_PASSWORD'])
    if (isSet(name) && !isSet('REDIS_HOST')) refuse(name, 'belongs to REDIS_HOST, which is not set')
  if (isSet('VAULT_ADDR') && loginsOf(values).length === 0)
    refuse('VAULT_ADDR', 'needs a login: VAULT_ROLE_ID and VAULT_SECRET_ID, or VAULT_KUBERNETES_ROLE, or VAULT_TOKEN')
  if (isSet('VAULT_ROLE_ID') !== isSet('VAULT_SECRET_ID'))
    refuse(isSet('VAULT_ROLE_ID') ? 'VAULT_SECRET_ID' : 'VAULT_ROLE_ID', 'the other half of the AppRole is set')
  if (isSet('VAULT_DATABASE_ROLE') && !(isSet('VAULT_ADDR') && isSet('DATABASE_URL')))
    refuse('VAULT_DATABASE_ROLE', 'needs VAULT_ADDR and DATABASE_URL')
  if (isSet('S3_ACCESS_KEY_ID') !== isSet('S3_SECRET_ACCESS_KEY'))
    refuse(isSet('S3_ACCESS_KEY_ID') ? 'S3_SECRET_ACCESS_KEY' : 'S3_ACCESS_KEY_ID', 'the other half of the key is set')
  return problems
}
const loginsOf = (values: Readonly<Record<string, string>>): string[] =>
  ['VAULT_ROLE_ID', 'VAULT_KUBERNETES_ROLE', 'VAULT_TOKEN'].filter((name) => values[name] !== undefined)

/** One URL out of either way to name the server; undefined: there is none. */
export function redisUrl({ REDIS_URL, REDIS_HOST, REDIS_PORT, REDIS_PASSWORD }: StoreConfig): string | undefined {
  if (REDIS_URL || !REDIS_HOST) return REDIS_URL
  const password = REDIS_PASSWORD ? `:${encodeURIComponent(REDIS_PASSWORD)}@` : ''
  return `redis://${password}${REDIS_HOST}:${REDIS_PORT ?? 6379}`
}
