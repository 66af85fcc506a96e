/** The platform as a stranger sees it: JSON over HTTP with a bearer credential. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly retryAfterS: number | null,
  ) {
    super(`${status} ${code}: ${detail}`)
  }
}
export interface Client {
  get<T>(path: string): Promise<T>
  post<T>(path: string, body?: unknown): Promise<T>
  /** the raw answer of a GET, whatever its status */
  raw(path: string): Promise<Response>
  as(credential: string): Client
}
const TIMEOUT_MS = 30_000

export function client(url: string, credential?: string): Client {
  const send = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}${path}`, {
      ...init,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        ...(credential ? { authorization: `Bearer ${credential}` } : {}),
        ...(init.body ? { 'content-type': 'application/json' } : {}),
      },
    })
  const parsed = async <T>(response: Response): Promise<T> => {
    const body = (await response.json()) as { code?: string; detail?: string }
    if (response.ok) return body as T
    const after = response.headers.get('retry-after')
    throw new Refused(response.status, body.code ?? 'unknown', body.detail ?? '', after === null ? null : Number(after))
  }
  return {
    get: async (path) => parsed(await send(path)),
    post: async (path, body = {}) => parsed(await send(path, { method: 'POST', body: JSON.stringify(body) })),
    raw: (path) => send(path),
    as: (other) => client(url, other),
  }
}
