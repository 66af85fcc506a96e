import { promisify } from 'node:util'
import zlib from 'node:zlib'

export const ENCODINGS = ['zstd', 'br', 'gzip'] as const
export type Encoding = (typeof ENCODINGS)[number]

/** Less than this is not worth the work; more than the largest is passed on as it is. */
export const COMPRESS_FROM_BYTES = 1_024
const LARGEST_BYTES = 8 * 1024 * 1024
/** Longer ones are compressed by the thread pool. */
const AT_ONCE_BYTES = 32 * 1024
const TEXT = /^(application\/([\w.-]+\+)?json|text\/(html|plain))\b/
/** Answers that carry a secret beside what the caller chose: their length must tell nothing (BREACH). */
const SECRET = /^\/(api\/auth|api\/api-keys|oauth)(\/|$)/

const { BROTLI_PARAM_QUALITY, ZSTD_c_compressionLevel } = zlib.constants
const brotli = { params: { [BROTLI_PARAM_QUALITY]: 4 } }
const zstd = { params: { [ZSTD_c_compressionLevel]: 3 } }
const gzip = { level: 5 }
const atOnce: Record<Encoding, (data: Uint8Array) => Uint8Array> = {
  zstd: (data) => zlib.zstdCompressSync(data, zstd),
  br: (data) => zlib.brotliCompressSync(data, brotli),
  gzip: (data) => zlib.gzipSync(data, gzip),
}
const later: Record<Encoding, (data: Uint8Array) => Promise<Uint8Array>> = {
  zstd: (data) => promisify<Uint8Array, zlib.ZstdOptions, Uint8Array>(zlib.zstdCompress)(data, zstd),
  br: (data) => promisify<Uint8Array, zlib.BrotliOptions, Uint8Array>(zlib.brotliCompress)(data, brotli),
  gzip: (data) => promisify<Uint8Array, zlib.ZlibOptions, Uint8Array>(zlib.gzip)(data, gzip),
}

/** What of Accept-Encoding (RFC 9110, 12.5.3) is made here; the first of ENCODINGS where the caller does not care. */
export function chooseEncoding(accepted: string): Encoding | undefined {
  let best: Encoding | undefined
  let bestWeight = 0
  const weights = new Map<string, number>()
  for (const part of accepted.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim())
    const q = parameters.find((text) => text.startsWith('q='))
    const weight = q === undefined ? 1 : Number(q.slice(2))
    weights.set(name, weight >= 0 && weight <= 1 ? weight : 0)
  }
  for (const encoding of ENCODINGS) {
    const weight = weights.get(encoding) ?? weights.get('*') ?? 0
    if (weight > bestWeight) [best, bestWeight] = [encoding, weight]
  }
  return best
}

/** The same answer in an encoding that the caller takes: JSON and text of at least 1 KiB, never streams of events. */
export async function compressed(
  response: Response,
  { accepted, path, onDone }: { accepted: string; path: string; onDone?: (encoding: Encoding) => void },
): Promise<Response> {
  const { headers, status } = response
  if (status === 204 || status === 304 || status < 200 || SECRET.test(path)) return response
  if (headers.has('content-encoding') || !TEXT.test(headers.get('content-type') ?? '')) return response
  if (Number(headers.get('content-length') ?? 0) > LARGEST_BYTES) return response
  const encoding = chooseEncoding(accepted)
  headers.append('vary', 'accept-encoding')
  if (!encoding) return response
  const body = await response.bytes()
  headers.delete('content-length')
  if (body.length < COMPRESS_FROM_BYTES) return new Response(body, { status, headers })
  const packed = body.length <= AT_ONCE_BYTES ? atOnce[encoding](body) : await later[encoding](body)
  headers.set('content-encoding', encoding)
  onDone?.(encoding)
  return new Response(packed as Uint8Array<ArrayBuffer>, { status, headers })
}
