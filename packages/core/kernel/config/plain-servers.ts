import { readDatabaseUrl } from '../../ports/db/postgres-url.ts'
import type { ConfigProblem } from './problem.ts'
import { flag } from './values.ts'

/** The variable that allows production what it refuses else. */
export const plainServersVariables = { ASSAY_PLAIN_SERVERS: flag().optional() }

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/
const WITHOUT_TLS = 'would be spoken to without TLS'

/** Servers of other machines that production would speak to in the clear, or without knowing that it is them. */
export function plainServerProblems(values: Readonly<Record<string, string>>): ConfigProblem[] {
  if (values.NODE_ENV !== 'production' || isOn(values.ASSAY_PLAIN_SERVERS)) return []
  const problems: ConfigProblem[] = []
  const refuse = (variable: string, reason: string) =>
    problems.push({ variable, reason: `${reason}: not in production, unless ASSAY_PLAIN_SERVERS=true` })
  if (values.DATABASE_URL && !isSure(values.DATABASE_URL))
    refuse('DATABASE_URL', 'must say sslmode=verify-full, for a server on another machine')
  for (const variable of ['REDIS_URL', 'VAULT_ADDR', 'S3_ENDPOINT']) {
    const url = URL.parse(values[variable] ?? '')
    if (url && /^(http|redis):$/.test(url.protocol) && !LOOPBACK.test(url.hostname)) refuse(variable, WITHOUT_TLS)
  }
  if (values.REDIS_HOST && !LOOPBACK.test(values.REDIS_HOST))
    refuse('REDIS_HOST', `${WITHOUT_TLS}; REDIS_URL=rediss://… has it`)
  const brokers = (values.KAFKA_BROKERS ?? '').split(',').map((broker) => broker.trim().replace(/:\d+$/, ''))
  if (!isOn(values.KAFKA_TLS) && brokers.some((host) => host !== '' && !LOOPBACK.test(host)))
    refuse('KAFKA_BROKERS', `${WITHOUT_TLS}; KAFKA_TLS=true has it`)
  return problems
}

/** A socket of this machine counts as loopback. What can't be read is told elsewhere. */
function isSure(url: string): boolean {
  try {
    const { host, sslmode } = readDatabaseUrl(url)
    return sslmode === 'verify-full' || host.startsWith('/') || LOOPBACK.test(host)
  } catch {
    return true
  }
}
const isOn = (value: string | undefined): boolean => /^(true|1|yes|on)$/i.test(value ?? '')
