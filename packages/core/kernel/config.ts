import { resolve } from 'node:path'
import { z } from 'zod'
import { ALIASES, REPLACED, VARIABLES } from '../contracts/variables.ts'
import { encryptionKeyWeakness } from '../ports/secrets/encryption-key.ts'
import { databaseProblems } from './config/database.ts'
import { kafkaProblems, kafkaVariables } from './config/kafka.ts'
import { mailProblems, mailVariables } from './config/mail.ts'
import { plainServerProblems, plainServersVariables } from './config/plain-servers.ts'
import type { ConfigProblem } from './config/problem.ts'
import { publicPortProblems, publicPortVariables } from './config/public-port.ts'
import { storeProblems, storeVariables } from './config/stores.ts'
import { flag, list, replicas, size } from './config/values.ts'
import { pinWeakness } from './config/weak-pin.ts'
import { origin } from './cors.ts'
import { isAddressRange } from './proxies.ts'
import { publicUrl } from './public-url.ts'

export type Environment = Readonly<Record<string, string | undefined>>
/** The only place that reads the process's environment. */
export const environment = (): Environment => process.env

const port = z.coerce.number().int().min(0).max(65_535).optional()

const platformSlice = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  PORT: port,
  API_GATEWAY_PORT: port,
  DATA_BRIDGE_PORT: port,
  ASSAY_HOST: z.string().default('127.0.0.1'),
  ASSAY_HOME: z
    .string()
    .default('.assay')
    .transform((path) => resolve(path)),
  ASSAY_FAILPOINTS: z
    .string()
    .regex(/^[^:]+:\d+:[a-z-]+(,[a-z-]+)*$/, 'must be FILE:MS:NAME[,NAME]')
    .optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  LOG_FORMAT: z.enum(['json', 'text']).optional(),
  CORS_ORIGINS: list(origin()),
  FORCE_HTTPS: flag().optional(),
  PUBLIC_URL: publicUrl(),
  TRUSTED_PROXIES: list(z.string().refine(isAddressRange, 'must be addresses or CIDR ranges')),
  ENCRYPTION_KEY: z.string().optional(),
  DATABASE_URL: z.string().optional(),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(50).default(4),
  MARKET_LOG_MAX_BYTES: size('20 GiB'),
  ASSAY_BASE_PORT: z.coerce.number().int().min(1).max(64_000).default(8000),
  ASSAY_INSTANCE: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'must be letters, digits, dots, dashes, at most 64')
    .optional(),
  ASSAY_PEERS: z
    .string()
    .regex(/^https:\/\/[\w.{}:-]+$/, 'must be a URL such as https://127.0.0.1:{port} or https://{service}:{port}')
    .optional(),
  ASSAY_PEER_URL: z.url({ protocol: /^https$/, error: 'must be an https URL' }).optional(),
  ASSAY_REPLICAS: replicas(),
  TLS_CA_FILE: z.string().optional(),
  TLS_CERT_FILE: z.string().optional(),
  TLS_KEY_FILE: z.string().optional(),
  ...publicPortVariables,
  ...storeVariables,
  ...kafkaVariables,
  ...mailVariables,
  ...plainServersVariables,
})
export type PlatformConfig = z.infer<typeof platformSlice>

/** Stops the start; says every variable that is wrong, and why. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly ConfigProblem[]) {
    super(problems.map(({ variable, reason }) => `${variable}: ${reason}`).join('\n'))
    this.name = 'ConfigError'
  }
}
export interface Config {
  platform: PlatformConfig
  production: boolean
  /** a service's own part of the environment */
  slice<S extends z.ZodType>(schema: S): z.infer<S>
  /** aliases and replaced variables that are set */
  notices: readonly string[]
}

/** Parses the environment once against the platform's slice and those of the services; ConfigError names what is wrong. */
export function readConfig(env: Environment, slices: readonly z.ZodType[] = []): Config {
  const { values, notices } = canonical(env)
  const problems: ConfigProblem[] = []
  const parsed = new Map<z.ZodType, unknown>()
  for (const schema of [platformSlice, ...slices]) {
    const result = schema.safeParse(values)
    if (result.success) parsed.set(schema, result.data)
    else
      problems.push(...result.error.issues.map((issue) => ({ variable: String(issue.path[0]), reason: issue.message })))
  }
  problems.push(...refusals(values))
  if (problems.length > 0) throw new ConfigError(unique(problems))
  const platform = parsed.get(platformSlice) as PlatformConfig
  return {
    platform,
    production: platform.NODE_ENV === 'production',
    notices,
    slice(schema) {
      if (!parsed.has(schema)) throw new Error('A slice must be given to readConfig.')
      return parsed.get(schema) as z.infer<typeof schema>
    },
  }
}

/** Aliases resolved, empty values dropped. */
function canonical(env: Environment): { values: Record<string, string>; notices: string[] } {
  const values: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) if (value) values[name] = value
  const notices: string[] = []
  for (const [alias, name] of Object.entries(ALIASES)) {
    const value = values[alias]
    if (!value) continue
    notices.push(values[name] ? `${alias} is not used: ${name} is set.` : `${alias} is used as ${name}.`)
    values[name] ??= value
  }
  for (const [name, by] of Object.entries(REPLACED)) {
    if (values[name]) notices.push(`${name} is not used: replaced by ${by}.`)
  }
  return { values, notices }
}

/** What is legal in its form and still must not start. */
function refusals(values: Record<string, string>): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  for (const { name, later, about } of VARIABLES) {
    if (later && values[name]) problems.push({ variable: name, reason: `not in this release (${about}) Unset it.` })
  }
  const mutual = ['TLS_CA_FILE', 'TLS_CERT_FILE', 'TLS_KEY_FILE']
  for (const variable of mutual.filter((name) => values.ASSAY_PEERS && !values[name])) {
    problems.push({ variable, reason: 'required with ASSAY_PEERS: services talk by mutual TLS only' })
  }
  problems.push(
    ...publicPortProblems(values),
    ...databaseProblems(values),
    ...storeProblems(values),
    ...kafkaProblems(values),
    ...mailProblems(values),
    ...plainServerProblems(values),
  )
  const key = values.ENCRYPTION_KEY
  const weakness = key && encryptionKeyWeakness(key)
  if (weakness) problems.push({ variable: 'ENCRYPTION_KEY', reason: weakness })
  if (values.NODE_ENV !== 'production') return problems
  if (!key)
    problems.push({ variable: 'ENCRYPTION_KEY', reason: 'required in production: 32 random bytes, base64 or hex' })
  const weakPin = values.BOT_CONTROL_PIN && pinWeakness(values.BOT_CONTROL_PIN)
  if (weakPin) problems.push({ variable: 'BOT_CONTROL_PIN', reason: `${weakPin}: not in production` })
  if (values.ASSAY_FAILPOINTS)
    problems.push({ variable: 'ASSAY_FAILPOINTS', reason: 'is for tests, not for production' })
  if (/^(false|0|no|off)$/i.test(values.RATE_LIMIT_ENABLED ?? '')) {
    problems.push({ variable: 'RATE_LIMIT_ENABLED', reason: 'must not be off in production' })
  }
  if (values.ASSAY_OPERATOR_PASSWORD && values.ASSAY_OPERATOR_PASSWORD.length < 12) {
    problems.push({ variable: 'ASSAY_OPERATOR_PASSWORD', reason: 'needs at least 12 characters in production' })
  }
  return problems
}

const unique = (problems: ConfigProblem[]): ConfigProblem[] =>
  problems.filter(
    (one, at) => problems.findIndex((other) => other.variable === one.variable && other.reason === one.reason) === at,
  )
