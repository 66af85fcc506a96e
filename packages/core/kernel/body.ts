import { AssayError } from '../contracts/errors.ts'

const JSON_TYPE = /^application\/([\w.+-]+\+)?json\s*(;|$)/i
const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(;|$)/i
/** OAuth's requests are forms. Nothing else is: a page elsewhere can send a form without asking anybody. */
export const takesForm = (path: string): boolean => /^\/oauth\/(token|revoke|login|consent)$/.test(path)
const tooLarge = (most: number) => new AssayError('payload_too_large', `At most ${most} bytes.`)

/**
 * Refuses a body by what its headers say. One that does not say its length is read, up to the limit: then the request
 * that takes the place of this one is given.
 */
export async function checkBody(request: Request, most: number, form = false): Promise<Request | null> {
  const { headers } = request
  const length = Number(headers.get('content-length'))
  if (length > most) throw tooLarge(most)
  const unsaid = headers.has('transfer-encoding')
  if (length === 0 && !unsaid) return null
  const type = headers.get('content-type')
  // one without a type too: any page may send that without being asked
  if (!(form ? FORM_TYPE : JSON_TYPE).test(type ?? '')) {
    const wanted = form ? 'application/x-www-form-urlencoded' : 'application/json'
    throw new AssayError('unsupported_media_type', `The body is ${type?.slice(0, 100) ?? 'untyped'}; send ${wanted}.`)
  }
  if (!unsaid || request.body === null) return null
  const { method, signal, url } = request
  return new Request(url, { method, headers, signal, body: await readUpTo(request.body, most) })
}

async function readUpTo(body: ReadableStream<Uint8Array>, most: number): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  try {
    for await (const part of body) {
      size += part.length
      if (size > most) throw tooLarge(most)
      parts.push(part as Uint8Array<ArrayBuffer>)
    }
  } catch (cause) {
    if (cause instanceof AssayError) throw cause
    throw new AssayError('malformed_body', 'The body broke off.', { cause })
  }
  return new Blob(parts)
}
