import { createHash, randomBytes } from 'node:crypto'

export interface Shown {
  status: number
  headers: Headers
  text: string
  /** hidden and ticked fields of the page's form */
  fields: [string, string][]
  /** where a redirect goes */
  location: URL | null
}

/** A browser without script: follows no redirect, keeps cookies, sends the forms that pages show it. */
export function openBrowser(send: (request: Request) => Promise<Response>, base: string) {
  const jar = new Map<string, string>()
  async function show(method: string, path: string, body?: URLSearchParams, more: Record<string, string> = {}) {
    const headers = new Headers({ 'user-agent': 'browser', ...more })
    if (jar.size > 0) headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '))
    if (body) headers.set('content-type', 'application/x-www-form-urlencoded')
    const request = new Request(base + path, { method, headers, body: body?.toString(), redirect: 'manual' })
    const answer = await send(request)
    for (const cookie of answer.headers.getSetCookie()) {
      const [name, value] = cookie.split(';')[0]!.split('=') as [string, string]
      jar.set(name, value)
    }
    const text = await answer.text()
    const location = answer.headers.get('location')
    const shown: Shown = {
      status: answer.status,
      headers: answer.headers,
      text,
      fields: [...text.matchAll(/<input type="(?:hidden|checkbox)" name="(\w+)" value="([^"]*)"/g)].map(
        ([, name, value]) => [name!, value!],
      ),
      location: location === null ? null : new URL(location),
    }
    return shown
  }
  return {
    jar,
    open: (path: string, headers?: Record<string, string>) => show('GET', path, undefined, headers),
    /** the page's form with these fields beside its own */
    submit(page: Shown, path: string, fields: Record<string, string>, headers?: Record<string, string>) {
      return show('POST', path, new URLSearchParams([...page.fields, ...Object.entries(fields)]), headers)
    },
    post: (path: string, fields: [string, string][], headers?: Record<string, string>) =>
      show('POST', path, new URLSearchParams(fields), headers),
  }
}
export type TestBrowser = ReturnType<typeof openBrowser>

export function newPkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

export const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
