import { checkKeyName } from './name.ts'
import { type Secrets, SecretsError } from './port.ts'
import { VaultClient, type VaultClientOptions } from './vault-client.ts'
import { openVaultCredentials, type VaultCredentials } from './vault-credentials.ts'
import { createVaultKv } from './vault-kv.ts'

export interface VaultOptions extends VaultClientOptions {
  /** what issues database logins; absent: nothing does */
  database?: { role: string; owner?: string | undefined; graceMs?: number } | undefined
  /** where the engines stand; those of `assay vault setup` unless told */
  mounts?: Partial<typeof MOUNTS>
}
export const MOUNTS = { kv: 'secret', transit: 'transit', totp: 'totp', database: 'database' }

const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes as Uint8Array).toString('base64')

export interface VaultSecrets extends Secrets {
  /** asks for nothing but an answer: `away` is of now */
  look(): Promise<void>
}
/** Secrets kept by Vault or OpenBao. */
export async function openVault(options: VaultOptions): Promise<VaultSecrets> {
  const client = await VaultClient.open(options)
  const { kv, transit, totp, database } = { ...MOUNTS, ...options.mounts }
  let credentials: Promise<VaultCredentials> | undefined

  function issued(): Promise<VaultCredentials> {
    const { database: of } = options
    if (!of) throw new SecretsError('VAULT_DATABASE_ROLE is not set: the secrets server issues no database logins.')
    credentials ??= openVaultCredentials({ client, mount: database, ...of }).catch((error) => {
      credentials = undefined
      throw error
    })
    return credentials
  }

  return {
    ...createVaultKv(client, kv),
    async encrypt(name, plain, context) {
      checkKeyName(name)
      const { body } = await client.request('encrypt', (vault) =>
        vault.write(`${transit}/encrypt/${name}`, { plaintext: base64(plain), associated_data: base64(context) }),
      )
      return body.data.ciphertext
    },
    async decrypt(name, sealed, context) {
      checkKeyName(name)
      if (!sealed.startsWith('vault:')) throw new SecretsError(`This was not encrypted under "${name}" here.`)
      const { found, body } = await client.request('decrypt', (vault) =>
        vault.write(`${transit}/decrypt/${name}`, { ciphertext: sealed, associated_data: base64(context) }),
      )
      if (!found) throw new SecretsError(`There is no key "${name}".`)
      return Uint8Array.from(Buffer.from(body.data.plaintext, 'base64'))
    },
    async createTotp(name, { issuer, account }) {
      checkKeyName(name)
      const { body } = await client.request('totp-create', (vault) =>
        vault.write(`${totp}/keys/${name}`, { generate: true, issuer, account_name: account, qr_size: 0 }),
      )
      return body.data.url
    },
    async generateTotp(name) {
      checkKeyName(name)
      const { body } = await client.request('totp-generate', (vault) => vault.read(`${totp}/code/${name}`))
      return body.data.code
    },
    async verifyTotp(name, code) {
      checkKeyName(name)
      if (!/^\d{6}$/.test(code)) return false
      try {
        const verify = client.request('totp-verify', (vault) => vault.write(`${totp}/code/${name}`, { code }), {
          // a code counts once: a repeat after a lost answer would be refused
          once: true,
        })
        return (await verify).body.data.valid
      } catch (error) {
        if (error instanceof SecretsError && error.message.includes('code already used')) return false
        throw error
      }
    },
    async deleteTotp(name) {
      checkKeyName(name)
      await client.request('totp-delete', (vault) => vault.delete(`${totp}/keys/${name}`))
    },
    databaseCredentials: async () => issued(),
    async rotateDatabaseCredentials() {
      await (await issued()).rotate()
    },
    away: () => client.away(),
    async look() {
      await client.request('look', (vault) => vault.tokenLookupSelf())
    },
    async close() {
      await (await credentials)?.close()
      await client.close()
    },
  }
}
