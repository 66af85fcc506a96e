import fc from 'fast-check'
import { readAccess } from '../../scripts/access/table.ts'
import { openContract } from '../e2e/contract.ts'
import { openCast, ROLES, type Role } from './cast.ts'
import { type Document, operationsOf } from './operations.ts'
import { createPools } from './pools.ts'
import { type Plan, pathOf, plansOf, requestOf, type Sent, smaller, toCurl } from './requests.ts'

export interface FuzzOptions {
  requests: number
  seed: number
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
  /** operation -> role -> answers below 400 */
  successes: Map<string, Map<Role, number>>
  /** pairs of route and role that docs/access.csv grants and that never succeeded, and routes that never did for anybody */
  missing: string[]
}
interface Answer {
  status: number
  contentType: string | null
  body: unknown
}
const SHRINKS = 150
/** Of all requests, the part that looks for pairs of route and role that have not succeeded yet. */
const DIRECTED = 0.4
const ROUNDS = 12
const UNVALIDATED = new Set([
  'validation_failed',
  'malformed_body',
  'bad_request',
  'unsupported_media_type',
  'payload_too_large',
])

/** Requests over the whole document, as every role, each answer judged by the document. Deterministic but for time and ids. */
export async function fuzz({ requests, seed, log = () => {} }: FuzzOptions): Promise<Fuzzed> {
  const contract = openContract()
  const document = contract.document as unknown as Document
  const operations = operationsOf(document)
  const cast = await openCast((await readAccess()).rows)
  const pools = createPools(operations, cast.reserved)
  const now = Date.now()
  const plans = new Map(operations.map((operation) => [operation, plansOf(operation, document, now)]))
  const successes = new Map(operations.map(({ name }) => [name, new Map<Role, number>()]))
  const failures = new Map<string, Failure>()
  let done = 0
  let passedValidation = 0

  async function ask(sent: Sent, credential: string | null): Promise<Answer> {
    const { method } = sent.operation
    const { headers, body } = sent
    const text = body?.toWellFormed()
    const call = { credential, headers, ...(text !== undefined && { body: text }) }
    try {
      const answer = await cast.world.send(method, pathOf(sent), call)
      const contentType = answer.headers.get('content-type')
      return { status: answer.status, contentType, body: answer.body ?? answer.text }
    } catch (error) {
      return { status: 0, contentType: null, body: String(error) }
    }
  }
  /** What is wrong with the answer, or null. */
  function wrong({ operation }: Sent, { status, contentType, body }: Answer): string | null {
    if (status === 0) return `${operation.name} is not answered: ${body}`
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
    const curl = toCurl(least, credential)
    failures.set(key, { key, detail, role, curl, times: 1 })
    log(`FAILED as ${role}: ${detail}\n  ${curl}`)
  }

  async function run(plan: Plan, role: Role): Promise<number> {
    done++
    const { operation } = plan
    const held = await cast.credential(operation, role)
    const right = plan.right === 'ignored' ? {} : await cast.right(operation, role, held)
    const credential = right.credential ?? held
    const sent = requestOf(plan, { role, pools, right })
    const answer = await ask(sent, credential)
    const { status, body } = answer
    const detail = wrong(sent, answer)
    if (detail !== null) await failed(sent, role, credential, detail)
    const { code } = (body ?? {}) as { code?: string }
    if (status > 0 && status < 400) {
      passedValidation++
      const its = successes.get(operation.name)!
      its.set(role, (its.get(role) ?? 0) + 1)
      pools.learn(operation, { values: sent.path, role, body })
    } else if ((status === 409 || status === 422 || status === 402 || status === 412) && !UNVALIDATED.has(code ?? ''))
      passedValidation++
    if ((status === 401 || right.ends) && held !== null) cast.lost(operation, role)
    return status
  }

  const granted = operations.flatMap((operation) =>
    ROLES.filter((role) => cast.allowed(operation, role)).map((role) => [operation, role] as const),
  )
  const missing = () => granted.filter(([{ name }, role]) => !successes.get(name)!.has(role))
  const directed = Math.floor(requests * DIRECTED)
  for (let round = 0; round < ROUNDS && done < directed; round++) {
    for (const [at, [operation, role]] of missing().entries()) {
      if (done >= directed) break
      const [plan] = fc.sample(plans.get(operation)!.intact, { numRuns: 1, seed: seed + round * 100_003 + at })
      // what was used up meanwhile may be why it has not succeeded yet
      if (round > 3) cast.renew()
      await run(round > 3 ? { ...plan!, right: 'whole' } : plan!, role)
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
  await cast.world.close()
  const silent = operations.filter(({ name }) => successes.get(name)!.size === 0).map(({ name }) => name)
  const missed = [...missing().map(([{ name }, role]) => `${name} as ${role}`), ...silent]
  return { requests: done, passedValidation, failures: [...failures.values()], successes, missing: missed }
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
