import { environment } from '../kernel/config.ts'
import { systemClock } from '../ports/clock/system.ts'
import type { MOUNTS, VaultOptions } from '../ports/secrets/vault.ts'
import type { VaultLogin } from '../ports/secrets/vault-login.ts'
import { until } from './until.ts'

const log = { info: () => {}, warn: () => {} }

export interface TestVault {
  address: string
  token: string
  /** engines of this suite's own */
  mounts: typeof MOUNTS
  options: VaultOptions
  /** a call outside every adapter, as the server's administrator; null where the server has nothing to say */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server answers
  admin(method: string, path: string, body?: object): Promise<any>
  /** unmounts the engines */
  close(): Promise<void>
}

/** The server that suites use: each mounts engines of its own. */
export async function testVault(): Promise<TestVault> {
  const { ASSAY_TEST_VAULT_ADDR: address, ASSAY_TEST_VAULT_TOKEN: token } = environment()
  if (!address || !token)
    throw new Error('ASSAY_TEST_VAULT_ADDR and _TOKEN are not set: ./assay test starts an OpenBao and sets them.')
  const admin: TestVault['admin'] = async (method, path, body) => {
    const answer = await fetch(`${address}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': token },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return text ? JSON.parse(text) : null
  }
  const base = `test-${crypto.randomUUID()}`
  const mounts = { kv: `${base}/kv`, transit: `${base}/transit`, totp: `${base}/totp`, database: `${base}/database` }
  for (const [name, path] of Object.entries(mounts))
    await admin(
      'POST',
      `sys/mounts/${path}`,
      name === 'kv' ? { type: 'kv', options: { version: '2' } } : { type: name },
    )
  // it refuses everything while it makes itself versioned
  const answers = () =>
    admin('GET', `${mounts.kv}/config`).then(
      () => true,
      () => false,
    )
  await until('the engine for secrets answers', answers, 15_000)
  const login: VaultLogin = { method: 'token', token, refuseRoot: false }
  return {
    address,
    token,
    mounts,
    options: { address, login, mounts, clock: systemClock, log },
    admin,
    async close() {
      for (const path of Object.values(mounts)) await admin('DELETE', `sys/mounts/${path}`)
    },
  }
}
