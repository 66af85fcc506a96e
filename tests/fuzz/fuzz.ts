import fc from 'fast-check'
import { openContract } from '../e2e/contract.ts'
import { address, openCast, ROLES, type Role } from './cast.ts'
import { type Document, type Operation, operationsOf } from './operations.ts'
import { createPools } from './pools.ts'
import { recipesOf } from './recipes.ts'
import { type Plan, pathOf, plansOf, requestOf, type Sent, smaller, toCurl } from './requests.ts'

export interface FuzzOptions {
  /** of the platform under test */
  url: string
  requests: number
  seed: number
  /** the platform's data folder: its letters are read there */
  home: string
  log?: (line: string) => void
}
export interface Failure {
  /** what is wrong, the same for all that fail alike */
  key: string
  detail: string
  role: Role
  /** the smallest request seen to fail so */
  curl: string
  times: number
}
export interface Fuzzed {
  requests: number
  /** answered 2xx or refused for what they ask, not for how they are written */
  passedValidation: number
  failures: Failure[]
  /** operation -> role -> 2xx answers */
  successes: Map<string, Map<Role, number>>
  operations: readonly Operation[]
}
interface Answer {
  status: number
  contentType: string | null
  body: unknown
}
const TIMEOUT_MS = 20_000
const SHRINKS = 150
/** Of all requests, the part that looks for pairs of route and role that have not succeeded yet. */
const DIRECTED = 0.4
const ROUNDS = 12
/** What is asked about is used up. */
const REFURNISH_EVERY = 60
const UNVALIDATED = new Set([
  'validation_failed',
  'malformed_body',
  'bad_request',
  'unsupported_media_type',
  'payload_too_large',
])

/** Requests over the whole document, as every role, each answer judged by the document. Deterministic but for time and ids. */
export async function fuzz({ url, requests, seed, home, log = () => {} }: FuzzOptions): Promise<Fuzzed> {
  const contract = openContract()
  const document = contract.document as unknown as Document
  const operations = operationsOf(document)
  const cast = await openCast(url, contract)
  const pools = createPools(operations, cast.reserved)
  const recipes = recipesOf({ home, pools })
  const now = Date.now()
  const plans = new Map(operations.map((operation) => [operation, plansOf(operation, document, now)]))
  const successes = new Map(operations.map(({ name }) => [name, new Map<Role, number>()]))
  const failures = new Map<string, Failure>()
  let done = 0
  let passedValidation = 0

  async function ask(sent: Sent, credential: string | null): Promise<Answer> {
    const { method } = sent.operation
    const answer = await fetch(`${url}${pathOf(sent)}`, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        'x-forwarded-for': address(),
        ...(credential && { authorization: `Bearer ${credential}` }),
        ...sent.headers,
      },
      ...(sent.body !== null && { body: sent.body.toWellFormed() }),
    })
    const contentType = answer.headers.get('content-type')
    const body = contentType?.includes('json') ? await answer.json() : await answer.text()
    return { status: answer.status, contentType, body }
  }
  /** What is wrong with the answer, or null. */
  function wrong({ operation }: Sent, { status, contentType, body }: Answer): string | null {
    if (status >= 500) return `${operation.name} answers ${status}: ${JSON.stringify(body).slice(0, 300)}`
    try {
      contract.judge({ method: operation.method, path: operation.path, status, contentType, body })
      return null
    } catch (error) {
      return (error as Error).message.slice(0, 600)
    }
  }
  async function failed(sent: Sent, role: Role, credential: string | null, detail: string): Promise<void> {
    const key = keyOf(detail)
    const known = failures.get(key)
    if (known) {
      known.times++
      return
    }
    let least = sent
    for (let tries = 0; tries < SHRINKS; ) {
      const next = smaller(least)
      let found = false
      for (const one of next) {
        if (tries++ >= SHRINKS) break
        const again = wrong(one, await ask(one, credential))
        if (again === null || keyOf(again) !== key) continue
        least = one
        found = true
        break
      }
      if (!found) break
    }
    const curl = toCurl(least, url, credential)
    failures.set(key, { key, detail, role, curl, times: 1 })
    log(`FAILED as ${role}: ${detail}\n  ${curl}`)
  }

  /** Who was refused meanwhile is made anew, once. */
  async function furnish(role: Role, again: boolean): Promise<void> {
    await cast.furnish(role, pools, again).catch(async () => {
      cast.lost(role)
      await cast.furnish(role, pools)
    })
  }

  async function run(plan: Plan, role: Role): Promise<number> {
    done++
    await furnish(role, done % REFURNISH_EVERY === 0)
    const { credential } = await cast.actor(role)
    const { operation } = plan
    const sent = requestOf(plan, { role, pools, recipe: recipes.get(operation.name) })
    const answer = await ask(sent, credential)
    const { status, body } = answer
    const detail = wrong(sent, answer)
    if (detail !== null) await failed(sent, role, credential, detail)
    const { code } = (body ?? {}) as { code?: string }
    if (status < 400) {
      passedValidation++
      const its = successes.get(operation.name)!
      if (status < 300) its.set(role, (its.get(role) ?? 0) + 1)
      pools.learn(operation, { values: sent.path, role, body })
    } else if ((status === 409 || status === 422 || status === 402 || status === 412) && !UNVALIDATED.has(code ?? ''))
      passedValidation++
    if (status === 401 && credential !== null) cast.lost(role)
    return status
  }

  const missing = (): [Operation, Role][] =>
    operations.flatMap((operation) =>
      ROLES.filter((role) => !successes.get(operation.name)!.has(role)).map(
        (role) => [operation, role] as [Operation, Role],
      ),
    )
  const directed = Math.floor(requests * DIRECTED)
  for (let round = 0; round < ROUNDS && done < directed; round++) {
    const pairs = round === 0 ? operations.flatMap((one) => ROLES.map((role) => [one, role] as const)) : missing()
    if (pairs.length === 0) break
    for (const [at, [operation, role]] of pairs.entries()) {
      if (done >= directed) break
      const [plan] = fc.sample(plans.get(operation)!.intact, { numRuns: 1, seed: seed + round * 100_003 + at })
      await run(plan!, role)
    }
  }
  const any = fc.record({
    plan: fc.oneof(...[...plans.values()].map((one) => one.any)),
    role: fc.constantFrom(...ROLES),
  })
  for (let chunk = 0; done < requests; chunk++) {
    const numRuns = Math.min(500, requests - done)
    for (const { plan, role } of fc.sample(any, { numRuns, seed: seed + chunk })) {
      await run(plan, role)
    }
    if (chunk % 10 === 9) log(`${done} of ${requests} requests`)
  }
  return { requests: done, passedValidation, failures: [...failures.values()], successes, operations }
}

/** Alike: the same operation, status and message but for the values in it. */
const keyOf = (detail: string): string =>
  detail
    .split('\n')[0]!
    .replace(/"(detail|instance|request_id)":"[^"]*"/g, '')
    .replace(/[0-9a-f-]{20,}|\d+/g, '#')

/** A line for each route: how often each role succeeded. */
export function successTable({ successes }: Fuzzed): string {
  const rows = [...successes].map(([name, its]) => [name, ...ROLES.map((role) => String(its.get(role) ?? '-'))])
  const width = Math.max(...rows.map(([name]) => name!.length))
  return [['route', ...ROLES], ...rows]
    .map(([name, ...counts]) => `${name!.padEnd(width)} ${counts.map((count) => count!.padStart(10)).join('')}`)
    .join('\n')
}
