import { type Secrets, SecretsError } from './port.ts'

type Reader = Pick<Secrets, 'getSecret'>
const PATHS = {
  database: 'secret/data/database',
  supabase: 'secret/data/supabase',
  jwt: 'secret/data/jwt',
  openai: 'secret/data/openai',
  stripe: 'secret/data/stripe',
  tailscale: 'secret/data/tailscale',
  zerotier: 'secret/data/zerotier',
} as const

async function needed(secrets: Reader, path: string, key: string): Promise<string> {
  const value = await secrets.getSecret(path, key)
  if (value === null) throw new SecretsError(`${path} has no ${key}.`)
  return value
}

/** The readers of what the platform's parts look up: null where nothing is stored, SecretsError where half of it is. */
export async function readDatabaseUrl(secrets: Reader): Promise<string | null> {
  return secrets.getSecret(PATHS.database, 'url')
}
export async function readSupabaseKey(secrets: Reader): Promise<string | null> {
  return secrets.getSecret(PATHS.supabase, 'service_role_key')
}
export async function readOpenaiKey(secrets: Reader): Promise<string | null> {
  return secrets.getSecret(PATHS.openai, 'api_key')
}
/** the signing keys of access tokens, as the gateway stores them */
export async function readJwtKeys(secrets: Reader): Promise<string | null> {
  return secrets.getSecret(PATHS.jwt, 'signing_keys')
}
export async function readStripeKeys(secrets: Reader): Promise<{ secretKey: string; webhookSecret: string } | null> {
  const secretKey = await secrets.getSecret(PATHS.stripe, 'secret_key')
  if (secretKey === null) return null
  return { secretKey, webhookSecret: await needed(secrets, PATHS.stripe, 'webhook_secret') }
}
export interface VpnKeys {
  tailscale: string | null
  zerotier: string | null
}
export async function readVpnKeys(secrets: Reader): Promise<VpnKeys> {
  const [tailscale, zerotier] = await Promise.all([
    secrets.getSecret(PATHS.tailscale, 'auth_key'),
    secrets.getSecret(PATHS.zerotier, 'network_id'),
  ])
  return { tailscale, zerotier }
}
export async function readVenueKeys(secrets: Reader, venue: string): Promise<{ key: string; secret: string } | null> {
  const path = `secret/data/venues/${venue}`
  const key = await secrets.getSecret(path, 'key')
  if (key === null) return null
  return { key, secret: await needed(secrets, path, 'secret') }
}
