import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { makeLocalCa } from '@assay/core/kernel/local-ca'
import { type Started, startPlatform } from '@assay/core/kernel/run'
import type { Deps, Service } from '@assay/core/kernel/service'
import { createServiceTokens } from '@assay/core/kernel/service-token'
import { services } from '@assay/services/all'
import { openSigningKeys, type SigningKeys } from '@assay/services/gateway/tokens/signing-keys'
import { Elysia } from 'elysia'
import { z } from 'zod'

export interface Answer {
  status: number
  headers: Headers
  /** as it came */
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  body: any
}
export interface Sent {
  credential?: string | null
  body?: unknown
  headers?: Record<string, string>
  redirect?: RequestRedirect
}
/** What stands behind the platform, for who looks from outside. */
export type Behind = Pick<Deps, 'db' | 'secrets' | 'clock' | 'home'>
export interface World {
  deps: Behind
  url: string
  keys: SigningKeys
  /** a token by which services know each other, of a certificate authority that is not this platform's */
  serviceToken: string
  /** what the platform logged of its own failures */
  faults: () => readonly string[]
  /** requests so far that may have changed something */
  writes: number
  /** an operator of the house, once there is one */
  house?: { token: string }
  send(method: string, path: string, sent?: Sent): Promise<Answer>
  /** and again as long as the engine is behind the market */
  ask(method: string, path: string, sent?: Sent): Promise<Answer>
  /** a success, or an error that says what it was */
  take<T = Record<string, never>>(method: string, path: string, sent?: Sent): Promise<T>
  close(): Promise<void>
}

export const OPERATOR = { email: 'opal@house.example', password: 'opal of the house, a long one' }
export const PIN = '493817'
const DAY_MS = 86_400_000
const BEHIND_MS = 30_000
/** Requests come through a proxy: no caller is the loopback's, and nobody runs into a limit of an address. */
let lastAddress = 0
const nextAddress = (): string => `198.51.${(++lastAddress >> 8) & 255}.${lastAddress & 255}`

/** Of a platform whose routes are asked as much as a test likes. */
export const SETTINGS = {
  LOG_LEVEL: 'error',
  FEEDS: 'sim',
  ASSAY_OPERATOR_EMAIL: OPERATOR.email,
  ASSAY_OPERATOR_PASSWORD: OPERATOR.password,
  BOT_CONTROL_PIN: PIN,
  BOT_CONTROL_ADDRESSES: '198.51.0.0/16',
  TRUSTED_PROXIES: '127.0.0.1/32',
  RATE_LIMIT_PER_MINUTE: '600000',
  RATE_LIMIT_PER_HOUR: '1000000',
  RATE_LIMIT_PER_DAY: '1000000',
}

/** The whole platform in this process, on a data folder of its own and behind its real listener. */
export async function openWorld(): Promise<World> {
  const home = mkdtempSync(join(tmpdir(), 'assay-access-'))
  const remove = () => rmSync(home, { recursive: true, force: true })
  const faults: string[] = []
  let deps: Deps | undefined
  const probe: Service = {
    name: 'probe',
    config: z.object({}),
    create(its) {
      deps = its as Deps
      return { app: new Elysia({ name: 'probe' }) }
    },
  }
  const platform: Started = await startPlatform({
    services: [...services, probe],
    port: 0,
    env: { ASSAY_HOME: home, ...SETTINGS },
    out: { write: (line) => void faults.push(line) },
  }).catch((error) => {
    remove()
    throw error
  })
  if (!deps) throw new Error('the probe was not composed')
  if (environment().ASSAY_ACCESS_ROW_SECURITY === 'off') await dropRowSecurity(deps)
  const { db } = deps
  return worldOf({
    url: platform.url,
    deps,
    faults: () => faults,
    async close() {
      await platform.close()
      await db.close()
      remove()
    },
  })
}

/** A platform that runs, as people out there see it. */
export async function worldOf({
  url,
  deps,
  faults,
  close,
}: Pick<World, 'url' | 'deps' | 'faults' | 'close'>): Promise<World> {
  const { secrets, clock } = deps
  const ca = await makeLocalCa()
  const tokens = createServiceTokens('gateway', await ca.issue('gateway', DAY_MS), clock)

  async function send(method: string, path: string, { credential, body, headers, redirect }: Sent = {}) {
    const answer = await fetch(url + path, {
      method,
      redirect: redirect ?? 'manual',
      signal: AbortSignal.timeout(20_000),
      headers: {
        'x-forwarded-for': nextAddress(),
        ...(credential && { authorization: `Bearer ${credential}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (method !== 'GET' && answer.status < 400) world.writes++
    const isJson = /json/.test(answer.headers.get('content-type') ?? '')
    return { status: answer.status, headers: answer.headers, text, body: isJson && text ? JSON.parse(text) : null }
  }
  /** A machine that is busy with other things falls behind its market: nothing was done then. */
  async function ask(method: string, path: string, sent?: Sent): Promise<Answer> {
    for (const end = performance.now() + BEHIND_MS; ; ) {
      const answer = await send(method, path, sent)
      if (answer.body?.code !== 'engine_behind' || performance.now() > end) return answer
      await Bun.sleep(1000 * Number(answer.headers.get('retry-after') ?? 1))
    }
  }
  const world: World = {
    deps,
    writes: 0,
    url,
    faults,
    keys: await openSigningKeys({ secrets, clock, alone: (work) => work() }),
    serviceToken: await tokens.mint('gateway'),
    send,
    ask,
    async take<T>(method: string, path: string, sent?: Sent) {
      const { status, text, body } = await ask(method, path, sent)
      if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}${whyOf(faults, body)}`)
      return body as T
    },
    close,
  }
  return world
}

/** The line of this request in the log, else the last ones. */
export function whyOf(faults: () => readonly string[], body: { request_id?: string } | null): string {
  const lines = faults()
  const own = body?.request_id && lines.find((line) => line.includes(body.request_id!))
  return `\n${own || lines.slice(-5).join('\n')}`
}

/** What stands behind the predicates would hide that one of them is missing. */
async function dropRowSecurity({ db }: Behind): Promise<void> {
  const tables = await db.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c where c.relrowsecurity`,
  )
  for (const { name } of tables) await db.script(`alter table ${name} disable row level security`)
  await db.script(
    `do $$ begin
       execute 'grant all on all tables in schema trading to trading_tenant';
       execute 'grant all on all tables in schema gateway to gateway_tenant';
     end $$`,
  )
}
