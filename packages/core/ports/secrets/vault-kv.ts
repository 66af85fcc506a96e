import { checkSecretPath, checkSecretPrefix } from './name.ts'
import type { Secrets } from './port.ts'
import { SecretsError } from './port.ts'
import { isAway, type VaultClient } from './vault-client.ts'

type Keys = Readonly<Record<string, string>>
type Kv = Pick<Secrets, 'getSecret' | 'setSecret' | 'addSecret' | 'deleteSecret' | 'listSecrets'>

interface Read {
  keys: Keys | null
  version: number
}
const MAX_REMEMBERED = 1_000
const MAX_LISTED = 1_000
const MAX_CONFLICTS = 20

/** Version 2 of the key-value engine. What this process has read is still answered while the server is away. */
export function createVaultKv(client: VaultClient, mount: string): Kv {
  const remembered = new Map<string, Keys | null>()
  /** `secret/data/x` of the port on the mount's own path */
  const at = (kind: 'data' | 'metadata' | 'delete', path: string) =>
    `${mount}/${kind}/${path.slice('secret/data/'.length)}`

  function remember(path: string, keys: Keys | null): void {
    remembered.delete(path)
    remembered.set(path, keys)
    if (remembered.size > MAX_REMEMBERED) remembered.delete(remembered.keys().next().value!)
  }
  async function read(path: string): Promise<Read> {
    const { found, body } = await client.request('read', (vault) => vault.read(at('data', path)))
    const keys = found ? (body.data.data as Keys | null) : null
    remember(path, keys)
    return { keys, version: Number(body?.data?.metadata?.version ?? 0) }
  }

  /** Merges on the server, so that others' keys of the path stay; null takes a key away. The new version. */
  async function patch(path: string, key: string, value: string | null): Promise<number | null> {
    const { found, body } = await client.request('write', (vault) =>
      vault.update(at('data', path), { data: { [key]: value } }),
    )
    remembered.delete(path)
    return found ? Number(body.data.version) : null
  }
  /** Writes the version after the one that was read, merged into it where there is one; false: somebody else wrote meanwhile. */
  async function writeAfter({ keys, version }: Read, path: string, data: Keys): Promise<boolean> {
    const next = { data, options: { cas: version } }
    try {
      const { found } = await client.request('write', (vault) =>
        keys === null ? vault.write(at('data', path), next) : vault.update(at('data', path), next),
      )
      if (!found && keys === null)
        throw new SecretsError(`${mount} is no key-value engine of the server: ./assay vault setup`)
      return found
    } catch (error) {
      if (error instanceof SecretsError && error.message.includes('check-and-set')) return false
      throw error
    } finally {
      remembered.delete(path)
    }
  }
  /** Nothing is there to merge into: writes the first version, unless somebody else does meanwhile. */
  async function create(path: string, key: string, value: string): Promise<boolean> {
    const last = await read(path)
    return last.keys === null && writeAfter(last, path, { [key]: value })
  }
  async function names(folder: string): Promise<string[]> {
    const { found, body } = await client.request('list', (vault) => vault.list(at('metadata', folder)))
    return found ? (body.data.keys as string[]) : []
  }
  /** The newest version is not a deleted one. */
  async function lives(path: string): Promise<boolean> {
    const { found, body } = await client.request('list', (vault) => vault.read(at('metadata', path)))
    if (!found) return false
    const newest = body.data.versions?.[String(body.data.current_version)]
    return newest !== undefined && newest.deletion_time === '' && !newest.destroyed
  }

  return {
    async getSecret(path, key) {
      checkSecretPath(path)
      try {
        return (await read(path)).keys?.[key] ?? null
      } catch (error) {
        if (!isAway(error) || !remembered.has(path)) throw error
        return remembered.get(path)?.[key] ?? null
      }
    },
    async setSecret(path, key, value) {
      checkSecretPath(path)
      for (let tried = 0; tried < MAX_CONFLICTS; tried++) {
        if ((await patch(path, key, value)) !== null || (await create(path, key, value))) return
      }
      throw new SecretsError(`${path} changes too often to be written.`)
    },
    async addSecret(path, key, value) {
      checkSecretPath(path)
      for (let tried = 0; tried < MAX_CONFLICTS; tried++) {
        const last = await read(path)
        const known = last.keys?.[key]
        if (known !== undefined) return known
        if (await writeAfter(last, path, { [key]: value })) return value
      }
      throw new SecretsError(`${path} changes too often to be written.`)
    },
    async deleteSecret(path, key) {
      checkSecretPath(path)
      const { keys } = await read(path)
      if (keys?.[key] === undefined) return
      const version = await patch(path, key, null)
      const left = await read(path)
      if (version === null || left.version !== version || Object.keys(left.keys ?? {}).length > 0) return
      // this very version: what somebody wrote after it stays
      await client.request('delete', (vault) => vault.write(at('delete', path), { versions: [version] }))
      remembered.delete(path)
    },
    async listSecrets(prefix) {
      checkSecretPrefix(prefix)
      const found: string[] = []
      const folders = [prefix.slice(0, prefix.lastIndexOf('/') + 1)]
      for (let folder = folders.shift(); folder !== undefined && found.length < MAX_LISTED; folder = folders.shift()) {
        for (const name of await names(folder)) {
          const path = folder + name
          if (!path.startsWith(prefix) && !prefix.startsWith(path)) continue
          if (name.endsWith('/')) folders.push(path)
          else if (path.startsWith(prefix) && (await lives(path))) found.push(path)
        }
      }
      return found.sort().slice(0, MAX_LISTED)
    },
  }
}
