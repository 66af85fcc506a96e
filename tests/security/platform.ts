import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Started, startPlatform } from '@assay/core/kernel/run'
import { services } from '@assay/services/all'

export const OPERATOR = { email: 'operator@assay.example', password: 'a long enough sentence 7' }
const MANY = '1000000'

export interface Target {
  url: string
  platform: Started['platform']
  /** every log line so far, parsed */
  lines: Record<string, unknown>[]
  /** with this token, from this test's address */
  get(path: string, headers?: Record<string, string>): Promise<Response>
  send(method: string, path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
  logIn(who: { email: string; password: string }): Promise<string>
  close(): Promise<void>
}

/** All services in this process on a real listener, limits out of the way. */
export async function openTarget(env: Record<string, string> = {}): Promise<Target> {
  const home = mkdtempSync(join(tmpdir(), 'assay-security-'))
  const lines: Record<string, unknown>[] = []
  const started = await startPlatform({
    services,
    env: {
      ASSAY_HOME: home,
      LOG_FORMAT: 'json',
      FEEDS: 'sim',
      ASSAY_OPERATOR_EMAIL: OPERATOR.email,
      ASSAY_OPERATOR_PASSWORD: OPERATOR.password,
      RATE_LIMIT_PER_MINUTE: MANY,
      RATE_LIMIT_PER_HOUR: MANY,
      RATE_LIMIT_PER_DAY: MANY,
      TRUSTED_PROXIES: '127.0.0.1',
      ...env,
    },
    port: 0,
    out: { write: (line) => void lines.push(JSON.parse(line)) },
  })
  const url = started.url
  const send = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(url + path, {
      method,
      redirect: 'manual',
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  return {
    url,
    platform: started.platform,
    lines,
    get: (path, headers) => send('GET', path, undefined, headers),
    send,
    async logIn(who) {
      const answer = await send('POST', '/api/auth/login', who)
      return ((await answer.json()) as { token: string }).token
    },
    async close() {
      await started.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
