/** Writers of their own to the stores that orders do not write to: what one acknowledged must be there in the end. */
import { openS3Blobs } from '@assay/core/ports/blobs/s3'
import { systemClock } from '@assay/core/ports/clock/system'
import { openVault } from '@assay/core/ports/secrets/vault'
import type { Finding } from '../../scripts/audit/finding.ts'
import type { Servers } from './servers.ts'

export interface Keeper {
  name: string
  kept(): number
  /** what is not there as it was acknowledged; it writes no longer */
  check(): Promise<Finding[]>
  close(): Promise<void>
}
const EVERY_MS = 100
const CALL_MS = 8_000
/** Places that are written again and again. */
const PLACES = 40

interface Store {
  name: string
  put(place: string, value: string): Promise<unknown>
  get(place: string): Promise<string | null>
  close(): Promise<void>
}

export async function keepers({ env, direct }: Servers): Promise<Keeper[]> {
  const log = { info: () => {}, warn: () => {} }
  const secrets = await openVault({
    address: env.VAULT_ADDR!,
    login: { method: 'token', token: direct.vault.rootToken, refuseRoot: false },
    clock: systemClock,
    log,
    timeoutMs: CALL_MS,
  })
  const blobs = await openS3Blobs({
    endpoint: env.S3_ENDPOINT!,
    bucket: env.S3_BUCKET!,
    region: env.S3_REGION!,
    accessKeyId: env.S3_ACCESS_KEY_ID!,
    secretAccessKey: env.S3_SECRET_ACCESS_KEY!,
    clock: systemClock,
  })
  return [
    keep({
      name: 'secrets',
      put: (place, value) => secrets.setSecret('secret/data/chaos', place, value),
      get: (place) => secrets.getSecret('secret/data/chaos', place),
      close: () => secrets.close(),
    }),
    keep({
      name: 'blobs',
      put: (place, value) => blobs.put(`chaos/${place}`, new TextEncoder().encode(value)),
      get: async (place) => {
        const bytes = await blobs.get(`chaos/${place}`)
        return bytes && new TextDecoder().decode(bytes)
      },
      close: () => blobs.close(),
    }),
  ]
}

function keep(store: Store): Keeper {
  /** what a place may hold: what was acknowledged last, and every value since then whose outcome is not known */
  const may = new Map<string, string[]>()
  const findings: Finding[] = []
  let kept = 0
  let going = true
  const writing = (async () => {
    for (let n = 0; going; n++) {
      const place = `place-${n % PLACES}`
      const value = `value-${n}`
      may.set(place, [...(may.get(place) ?? []), value])
      await store.put(place, value).then(
        () => {
          may.set(place, [value])
          kept++
        },
        (error: { code?: string; message: string }) => {
          if (error.code !== 'unavailable')
            findings.push({ rule: `${store.name}: what cannot be done now is unavailable`, place, said: error.message })
        },
      )
      await Bun.sleep(EVERY_MS)
    }
  })()
  return {
    name: store.name,
    kept: () => kept,
    async check() {
      going = false
      await writing
      for (const [place, values] of may) {
        const held = await store.get(place)
        if (held === null || !values.includes(held))
          findings.push({
            rule: `${store.name}: what was acknowledged is there`,
            place,
            said: `${held}, not ${values}`,
          })
      }
      return findings
    },
    async close() {
      going = false
      await writing
      await store.close()
    },
  }
}
