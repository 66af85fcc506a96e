import type { Contract } from './contract.ts'

export interface Answer<T> {
  status: number
  headers: Headers
  body: T
}
export interface Problem {
  status: number
  code: string
  detail: string
  field?: string
  nearest?: string
  retryable?: boolean
}
export interface Call {
  body?: unknown
  headers?: Record<string, string>
}
/** A client of the platform that holds every answer against the OpenAPI document. */
export interface Api {
  as(credential: string): Api
  send<T>(method: string, path: string, call?: Call): Promise<Answer<T>>
  /** the body of a success; anything else is an error */
  get<T>(path: string): Promise<T>
  post<T>(path: string, body?: unknown): Promise<T>
  delete<T>(path: string): Promise<T>
  /** the problem of a refusal; a success is an error */
  refused(method: string, path: string, call?: Call): Promise<Problem>
}
const TIMEOUT_MS = 20_000

export function openApi(url: string, contract: Contract, credential?: string): Api {
  async function send<T>(method: string, path: string, { body, headers }: Call = {}): Promise<Answer<T>> {
    const answer = await fetch(`${url}${path}`, {
      method,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        ...(credential && { authorization: `Bearer ${credential}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const contentType = answer.headers.get('content-type')
    const parsed = contentType?.includes('json') ? await answer.json() : new Uint8Array(await answer.arrayBuffer())
    contract.judge({ method, path: path.split('?')[0]!, status: answer.status, contentType, body: parsed })
    return { status: answer.status, headers: answer.headers, body: parsed as T }
  }
  async function take<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await send<T>(method, path, { body })
    if (answer.status < 300) return answer.body
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  }
  return {
    as: (other) => openApi(url, contract, other),
    send,
    get: (path) => take('GET', path),
    post: (path, body) => take('POST', path, body),
    delete: (path) => take('DELETE', path),
    async refused(method, path, call) {
      const { status, body } = await send<Problem>(method, path, call)
      if (status < 400) throw new Error(`${method} ${path} was not refused: ${status}`)
      return body
    },
  }
}
