/** What verify, explain and replay read: an archive by path or id, trusted keys, a receipt, segments, another side's heads. */
import { existsSync, statSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { JournalKey } from '@assay/core/domain/journal/keys'
import type { Receipt } from '@assay/core/domain/journal/receipt'
import { ENVELOPE_FILE, envelopeSchema, keysSchema, signedSchema } from '@assay/core/domain/proof/archive'
import { unpack } from '@assay/core/domain/proof/container'
import { headsOf } from '@assay/core/domain/proof/leaves'
import type { SegmentFiles } from '@assay/core/domain/proof/read-log'
import { environment } from '@assay/core/kernel/config'
import { findInstance } from '../instance.ts'
import { UsageError } from '../options.ts'

/** Something that was named cannot be read: exit 2. */
export class InputError extends UsageError {}

const home = (): string => environment().ASSAY_HOME || '.assay'

async function read(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new InputError(`${what}: ${path}: ${(error as NodeJS.ErrnoException).code ?? error}`)
  }
}
async function readJson(path: string, what: string): Promise<unknown> {
  try {
    return JSON.parse(new TextDecoder().decode(await read(path, what)))
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(`${what}: ${path} is not JSON`)
  }
}

export interface Server {
  url: string | undefined
  token: string | undefined
}
/** A path, or the id of an assessment on a running platform. */
export async function loadProof(name: string, server: Server): Promise<Uint8Array> {
  if (existsSync(name) || !/^[0-9a-f-]{36}$/.test(name)) return read(name, 'proof')
  const url = `${server.url ?? findInstance(home())?.url ?? 'http://127.0.0.1:8000'}/api/assessments/${name}/proof`
  const headers: Record<string, string> = server.token ? { authorization: `Bearer ${server.token}` } : {}
  const answer = await fetch(url, { headers }).catch((error: Error) => {
    throw new InputError(`proof: ${url}: ${error.message}`)
  })
  if (answer.status === 202)
    throw new InputError(`proof: the log is not sealed yet, ask again in ${answer.headers.get('retry-after')} s`)
  if (!answer.ok)
    throw new InputError(`proof: ${url} answers ${answer.status}${answer.status === 401 ? '; give --token' : ''}`)
  return new Uint8Array(await answer.arrayBuffer())
}

/** Public keys that are trusted; without a path those in ASSAY_HOME, none when there are none. */
export async function loadKeys(path: string | undefined): Promise<JournalKey[]> {
  const file = path ?? join(home(), 'journal-keys.json')
  if (path === undefined && !existsSync(file)) return []
  const parsed = keysSchema.safeParse(await readJson(file, 'keys'))
  if (!parsed.success) throw new InputError(`keys: ${file} is no list of journal keys`)
  return parsed.data.keys
}

/** A receipt as it was given: the object itself, or the answer that carries it. */
export async function loadReceipt(path: string): Promise<Receipt> {
  const value = (await readJson(path, 'receipt')) as { receipt?: unknown }
  const parsed = signedSchema.safeParse(value?.receipt ?? value)
  if (!parsed.success) throw new InputError(`receipt: ${path} is no receipt`)
  return parsed.data as Receipt
}

const SUFFIX = '.jsonl.gz'
/** Cited segments from a folder or below a URL, each in a file named by its head. */
export function segmentFiles(from: string | undefined): SegmentFiles | undefined {
  if (from === undefined) return undefined
  if (/^https?:\/\//.test(from)) {
    return async (head) => {
      const answer = await fetch(`${from.replace(/\/$/, '')}/${head}${SUFFIX}`)
      return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null
    }
  }
  return async (head) => {
    const path = join(from, `${head}${SUFFIX}`)
    return existsSync(path) ? readFile(path) : null
  }
}

export type Heads = readonly { first: number; head: string }[]
/** Heads of the same log from elsewhere: another proof, or a folder of segments. */
export async function loadAgainst(path: string): Promise<Heads> {
  if (existsSync(path) && statSync(path).isDirectory()) {
    const names = (await readdir(path)).filter((name) => name.endsWith(SUFFIX))
    return Promise.all(
      names.map(async (name) => {
        const text = gunzipSync(await readFile(join(path, name))).toString('utf8')
        const { e } = JSON.parse(text.slice(0, text.indexOf('\n'))) as { e: { mseq: number } }
        return { first: e.mseq, head: name.slice(0, -SUFFIX.length) }
      }),
    )
  }
  try {
    const { files } = unpack(await read(path, 'against'))
    return headsOf(envelopeSchema.parse(JSON.parse(new TextDecoder().decode(files.get(ENVELOPE_FILE)))).log)
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(`against: ${path} is neither a proof nor a folder of segments`)
  }
}
