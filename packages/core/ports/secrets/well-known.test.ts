import { expect, test } from 'bun:test'
import { SecretsError } from './port.ts'
import {
  readDatabaseUrl,
  readJwtKeys,
  readOpenaiKey,
  readStripeKeys,
  readSupabaseKey,
  readVenueKeys,
  readVpnKeys,
} from './well-known.ts'

const stored = (of: Record<string, Record<string, string>>) => ({
  getSecret: async (path: string, key: string) => of[path]?.[key] ?? null,
})

test('readers find what stands at the known paths, and null where nothing does', async () => {
  const secrets = stored({
    'secret/data/database': { url: 'postgresql://db' },
    'secret/data/supabase': { service_role_key: 'sr' },
    'secret/data/jwt': { signing_keys: '[]' },
    'secret/data/openai': { api_key: 'sk' },
    'secret/data/stripe': { secret_key: 's', webhook_secret: 'w' },
    'secret/data/tailscale': { auth_key: 'ts' },
    'secret/data/venues/kraken': { key: 'k', secret: 's' },
  })
  expect(await readDatabaseUrl(secrets)).toBe('postgresql://db')
  expect(await readSupabaseKey(secrets)).toBe('sr')
  expect(await readJwtKeys(secrets)).toBe('[]')
  expect(await readOpenaiKey(secrets)).toBe('sk')
  expect(await readStripeKeys(secrets)).toEqual({ secretKey: 's', webhookSecret: 'w' })
  expect(await readVpnKeys(secrets)).toEqual({ tailscale: 'ts', zerotier: null })
  expect(await readVenueKeys(secrets, 'kraken')).toEqual({ key: 'k', secret: 's' })
  expect([await readStripeKeys(stored({})), await readVenueKeys(secrets, 'other')]).toEqual([null, null])
})

test('half of a pair is an error that names the missing half', async () => {
  const half = stored({ 'secret/data/stripe': { secret_key: 'hidden' } })
  const failure = await readStripeKeys(half).catch((error) => error)
  expect(failure).toBeInstanceOf(SecretsError)
  expect(failure.message).toBe('secret/data/stripe has no webhook_secret.')
})
