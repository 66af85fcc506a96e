import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '@assay/core/kernel/config'
import { UsageError } from '../options.ts'

const CALL_MS = 10_000
const ACTIVE_MS = 60_000

/**
 * The administrator's token of the secrets server: VAULT_TOKEN. In development an uninitialised server that unseals
 * itself is initialised here, and its token kept in `folder`.
 */
export async function administratorToken(env: Environment, folder: string): Promise<string> {
  const { VAULT_TOKEN: token, VAULT_ADDR: address = '', NODE_ENV } = env
  if (token) return token
  if (NODE_ENV !== 'development')
    throw new UsageError("VAULT_TOKEN is not set: an administrator's, for `prepare` alone")
  const file = join(folder, 'vault.json')
  const kept = () => (JSON.parse(readFileSync(file, 'utf8')) as { root_token: string }).root_token
  if (existsSync(file)) return kept()
  const answer = await call(`${address}/v1/sys/init`, { recovery_shares: 1, recovery_threshold: 1 })
  if (!answer.ok) throw new Error(`${address} was not initialised: ${answer.status} ${await answer.text()}`)
  writeFileSync(file, await answer.text(), { mode: 0o600 })
  await untilActive(address)
  return kept()
}

async function untilActive(address: string): Promise<void> {
  const end = performance.now() + ACTIVE_MS
  while ((await call(`${address}/v1/sys/health`)).status !== 200) {
    if (performance.now() > end) throw new Error(`${address} is not active within ${ACTIVE_MS / 1000} s`)
    await Bun.sleep(200)
  }
}

const call = (url: string, body?: object): Promise<Response> =>
  fetch(url, {
    ...(body && { method: 'PUT', body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(CALL_MS),
  })
