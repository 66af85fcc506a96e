import { readFile } from 'node:fs/promises'
import type { client as NodeVault } from 'node-vault'
import type { Logger } from 'pino'
import { SecretsError } from './port.ts'

export type VaultLogin =
  | { method: 'approle'; roleId: string; secretId: string; mount?: string }
  /** the token of the pod's service account is read from `tokenFile` at every login: it is replaced while the pod lives */
  | { method: 'kubernetes'; role: string; tokenFile: string; mount?: string }
  /** refuseRoot: a service must not hold the root token */
  | { method: 'token'; token: string; refuseRoot: boolean }

export interface VaultToken {
  token: string
  /** Infinity: it does not end */
  ttlMs: number
  renewable: boolean
}
export const POD_TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token'

export async function logIn(vault: NodeVault, login: VaultLogin, log: Pick<Logger, 'warn'>): Promise<VaultToken> {
  switch (login.method) {
    case 'approle': {
      const { roleId, secretId, mount = 'approle' } = login
      return tokenOf(await vault.write(`auth/${mount}/login`, { role_id: roleId, secret_id: secretId }))
    }
    case 'kubernetes': {
      const { role, tokenFile, mount = 'kubernetes' } = login
      const jwt = (await readFile(tokenFile, 'utf8')).trim()
      return tokenOf(await vault.write(`auth/${mount}/login`, { role, jwt }))
    }
    case 'token':
      return lookUp(vault, login, log)
  }
}

function tokenOf({ auth }: { auth: { client_token: string; lease_duration: number; renewable: boolean } }): VaultToken {
  return {
    token: auth.client_token,
    ttlMs: auth.lease_duration > 0 ? auth.lease_duration * 1_000 : Number.POSITIVE_INFINITY,
    renewable: auth.renewable,
  }
}

async function lookUp(
  vault: NodeVault,
  { token, refuseRoot }: { token: string; refuseRoot: boolean },
  log: Pick<Logger, 'warn'>,
): Promise<VaultToken> {
  vault.token = token
  const { data } = await vault.tokenLookupSelf()
  const root = (data.policies as string[]).includes('root')
  if (root && refuseRoot)
    throw new SecretsError(
      'VAULT_TOKEN is a root token: services never hold it (./assay vault setup makes their logins)',
    )
  log.warn(
    { root },
    'VAULT_TOKEN is used: prefer VAULT_ROLE_ID with VAULT_SECRET_ID, or VAULT_KUBERNETES_ROLE, which can be renewed',
  )
  return {
    token,
    ttlMs: data.ttl > 0 ? data.ttl * 1_000 : Number.POSITIVE_INFINITY,
    renewable: Boolean(data.renewable),
  }
}
