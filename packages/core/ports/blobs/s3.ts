import { S3Client } from 'bun'
import { AssayError } from '../../contracts/errors.ts'
import type { Clock } from '../clock/port.ts'
import { within } from '../clock/within.ts'
import { checkBlobName } from './name.ts'
import type { Blobs } from './port.ts'

export interface S3Options {
  bucket: string
  /** must be the bucket's own: signatures carry it */
  region: string
  /** unset: Amazon's */
  endpoint?: string | undefined
  accessKeyId?: string | undefined
  secretAccessKey?: string | undefined
  /** a path in the bucket that all names stand below, ending in "/" */
  path?: string
  clock: Clock
  /** of one try; a large upload has more by its size */
  timeoutMs?: number
  tries?: number
}
export interface S3Blobs extends Blobs {
  /** why the last call failed; null while the store answers */
  away(): string | null
}

/** Larger content goes up in parts of this size: a broken connection costs one part. S3 shows it when all are there. */
const PART_BYTES = 8 * 1024 * 1024
const PARTS_AT_ONCE = 3
const SLOWEST_BYTES_PER_MS = 1_000
const FIRST_PAUSE_MS = 100
/** S3 lists at most this many at once. */
const PAGE = 1_000
/** Asking again changes nothing. */
const PERMANENT =
  /^(NoSuch|Access|Account|AllAccess|Authorization|Signature|Invalid|Malformed|Missing|EntityTooLarge|Method|RequestTimeTooSkewed|ERR_S3_(MISSING|INVALID))/

/** Blobs in a bucket. A put is one request, or a multipart upload: readers see old or new. */
export async function openS3Blobs(options: S3Options): Promise<S3Blobs> {
  const { clock, path = '', timeoutMs = 10_000, tries = 3 } = options
  const client = new S3Client({
    bucket: options.bucket,
    region: options.region,
    ...(options.endpoint && { endpoint: options.endpoint }),
    ...(options.accessKeyId && { accessKeyId: options.accessKeyId }),
    ...(options.secretAccessKey && { secretAccessKey: options.secretAccessKey }),
  })
  let reason: string | null = null

  /** Tries again what may pass; every call of this port can be repeated. */
  async function call<T>(work: () => Promise<T>, ms = timeoutMs): Promise<T> {
    for (let tried = 1; ; tried++) {
      try {
        const result = await within(ms, work())
        reason = null
        return result
      } catch (error) {
        const code = codeOf(error)
        if (PERMANENT.test(code)) {
          reason = null
          throw error
        }
        reason = code || (error as Error).message
        if (tried >= tries)
          throw new AssayError('unavailable', 'The blob store is not available now.', { retryAfterS: 5, cause: error })
        await clock.sleep(FIRST_PAUSE_MS * 2 ** (tried - 1) * (0.5 + Math.random()))
      }
    }
  }
  const keyOf = (name: string): string => {
    checkBlobName(name)
    return path + name
  }

  async function upload(key: string, bytes: Uint8Array): Promise<void> {
    if (bytes.length <= PART_BYTES) {
      await client.write(key, bytes, { retry: 0 })
      return
    }
    const writer = client.file(key).writer({ partSize: PART_BYTES, queueSize: PARTS_AT_ONCE, retry: 2 })
    for (let at = 0; at < bytes.length; at += PART_BYTES) {
      writer.write(bytes.subarray(at, at + PART_BYTES))
      await writer.flush()
    }
    await writer.end()
  }

  async function page(prefix: string, after: string, limit: number): Promise<string[]> {
    const { contents = [] } = await call(() =>
      client.list({ prefix: path + prefix, maxKeys: limit, ...(after && { startAfter: path + after }) }),
    )
    return contents.map(({ key }) => key.slice(path.length))
  }

  await page('', '', 1).catch((cause) => {
    throw new Error(`S3_BUCKET: "${options.bucket}" can't be read: ${codeOf(cause) || (cause as Error).message}`, {
      cause,
    })
  })
  return {
    away: () => reason,
    async put(name, bytes) {
      const key = keyOf(name)
      await call(() => upload(key, bytes), timeoutMs + bytes.length / SLOWEST_BYTES_PER_MS)
    },
    async get(name) {
      const key = keyOf(name)
      return call(() => client.file(key).bytes()).catch(orNull)
    },
    async has(name) {
      const key = keyOf(name)
      return call(() => client.exists(key))
    },
    async delete(name) {
      const key = keyOf(name)
      await call(() => client.delete(key)).catch(orNull)
    },
    async list(prefix, { after = '', limit = PAGE } = {}) {
      const parent = prefix.slice(0, prefix.lastIndexOf('/'))
      if (parent !== '') checkBlobName(parent)
      const names: string[] = []
      while (names.length < limit) {
        const want = Math.min(PAGE, limit - names.length)
        const found = await page(prefix, names.at(-1) ?? after, want)
        names.push(...found)
        if (found.length < want) break
      }
      return names
    },
    async close() {},
  }
}

const codeOf = (error: unknown): string => {
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  return error instanceof AssayError && cause ? codeOf(cause) : typeof code === 'string' ? code : ''
}

const orNull = (error: unknown): null => {
  if (codeOf(error) === 'NoSuchKey') return null
  throw error
}
