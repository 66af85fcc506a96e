import { UsageError } from '../options.ts'

/** Calls with an administrator's token; services never hold it. */
export interface VaultAdmin {
  address: string
  /** the answer's body; null: nothing is there */
  // biome-ignore lint/suspicious/noExplicitAny: checked where it is used
  call(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<any>
}
export class VaultRefusal extends Error {
  constructor(
    readonly status: number,
    path: string,
    errors: string,
  ) {
    super(`${path}: ${status} ${errors}`)
  }
}
const CALL_MS = 15_000

export function vaultAdmin(env: Readonly<Record<string, string | undefined>>): VaultAdmin {
  const { VAULT_ADDR: address, VAULT_TOKEN: token } = env
  if (!address) throw new UsageError('set VAULT_ADDR, the URL of Vault or OpenBao')
  return {
    address,
    async call(method, path, body) {
      const answer = await fetch(`${address}/v1/${path}`, {
        method,
        headers: token ? { 'x-vault-token': token } : {},
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(CALL_MS),
      }).catch((error: Error) => {
        throw new UsageError(`${address} does not answer: ${error.message}`)
      })
      const text = await answer.text()
      const said = text ? JSON.parse(text) : null
      if (answer.status === 404) return null
      if (!answer.ok) throw new VaultRefusal(answer.status, path, (said?.errors ?? []).join(', ').trim())
      return said
    },
  }
}

export interface SealStatus {
  initialized: boolean
  sealed: boolean
  version: string
  /** keys needed, given */
  threshold: number
  progress: number
}
export async function sealStatus(vault: VaultAdmin): Promise<SealStatus> {
  const { initialized, sealed, version, t, progress } = await vault.call('GET', 'sys/seal-status')
  return { initialized, sealed, version, threshold: t, progress }
}
