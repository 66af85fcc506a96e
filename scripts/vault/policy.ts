import { DATABASE_ROLE, SECRET_ACCESS, type SecretAccess } from '@assay/core/contracts/secrets'

/** The whole platform in one process. */
export const PLATFORM_NAME = 'assay'
export const policyName = (service: string): string =>
  service === PLATFORM_NAME ? PLATFORM_NAME : `${PLATFORM_NAME}-${service}`
/** Services by the name of their policy and AppRole, and the one that is all of them. */
export const logins = (): string[] => [PLATFORM_NAME, ...Object.keys(SECRET_ACCESS)]

const rule = (path: string, ...capabilities: string[]): string =>
  `path "${path}" { capabilities = [${capabilities.map((one) => `"${one}"`).join(', ')}] }`

/** Only its own secrets and keys; database logins, and only their leases. */
export function policyOf(service: string): string {
  const own = service === PLATFORM_NAME ? Object.entries(SECRET_ACCESS) : [[service, SECRET_ACCESS[service]!] as const]
  return `${[...own.flatMap(([name, access]) => ofService(name, access)), ...DATABASE].join('\n')}\n`
}

const DATABASE = [
  rule(`database/creds/${DATABASE_ROLE}`, 'read'),
  rule(`sys/leases/renew/database/creds/${DATABASE_ROLE}/*`, 'update'),
  rule(`sys/leases/revoke/database/creds/${DATABASE_ROLE}/*`, 'update'),
]
const ofService = (service: string, { paths, totp = false }: SecretAccess): string[] => [
  ...paths.flatMap((path) => [
    rule(`secret/data/${path}`, 'create', 'read', 'update', 'patch'),
    rule(`secret/metadata/${path}`, 'read', 'list'),
    rule(`secret/delete/${path}`, 'update'),
  ]),
  rule(`transit/encrypt/${service}.*`, 'create', 'update'),
  rule(`transit/decrypt/${service}.*`, 'update'),
  ...(totp ? [rule('totp/keys/*', 'create', 'update', 'delete'), rule('totp/code/*', 'read', 'create', 'update')] : []),
]
