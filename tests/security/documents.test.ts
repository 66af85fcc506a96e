import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { AUDIT_ACTIONS } from '@assay/core/contracts/audit'
import { SECRET_ACCESS } from '@assay/core/contracts/secrets'
import { VARIABLES } from '@assay/core/contracts/variables'
import { createMemoryLimits } from '@assay/core/ports/limits/memory'
import { config } from '@assay/services/gateway/config'
import { createAttemptGuard } from '@assay/services/gateway/limits/attempt-guard'
import { weaknessOf } from '@assay/services/gateway/passwords/require-good-password'
import { SESSIONS_PER_USER } from '@assay/services/gateway/sessions/open-session'
import { ACCESS_TOKEN_MS, SESSION_MS } from '@assay/services/gateway/sessions/session-times'
import document from '../../openapi/assay.json'

const ROOT = new URL('../../', import.meta.url).pathname
const textOf = (path: string): string => readFileSync(ROOT + path, 'utf8')
const inventory = textOf('docs/security/inventory.md')
const rules = textOf('docs/security/rules.md')

/** The cells of every table row below this heading. */
function rowsOf(page: string, heading: string): string[][] {
  const section = page.split(new RegExp(`^## ${heading}$`, 'm'))[1]?.split(/^## /m)[0] ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('|--'))
  return lines.slice(1).map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.replace(/^\| ?/, '').trim()),
  )
}
const quoted = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, inside]) => inside!)

const running = ['packages', 'services'].flatMap((folder) =>
  [...new Bun.Glob(`${folder}/**/*.ts`).scanSync(ROOT)].filter(
    (path) => !/node_modules|generated|\.test\.ts$|\/testing\/|\/testing\.ts$|\/contract\.ts$|\.d\.ts$/.test(path),
  ),
)
/** Files that the section's last cells do not cover, by path or folder. */
function uncovered(rows: string[][], uses: RegExp): string[] {
  const places = rows.flatMap((row) => quoted(row.at(-1)!))
  return running.filter((path) => uses.test(textOf(path)) && !places.some((place) => path.startsWith(place)))
}

describe('the inventory', () => {
  test('names every file that does cryptography (V11.1.2)', () => {
    const uses =
      /createHash\(|createHmac\(|createCipheriv|createDecipheriv|CryptoHasher\(|Bun\.password|crypto\.subtle|getRandomValues|randomBytes\(|SignJWT|jwtVerify\(|generateKeyPair|from '@noble\/|from '@peculiar\/|import \{[^}]*\bhash\b[^}]*\} from 'node:crypto'/
    expect(uncovered(rowsOf(inventory, 'Cryptography'), uses)).toEqual([])
  })
  test('names places that exist, or will with their part', () => {
    const later = /second-factor|\/pin|devices|sessions|\/users|\/mail|\/oauth|\/privacy|\/audit/
    for (const heading of ['Cryptography', 'Connections'])
      for (const place of rowsOf(inventory, heading).flatMap((row) => quoted(row.at(-1)!)))
        if (!later.test(place)) expect([place, existsSync(ROOT + place)]).toEqual([place, true])
  })
  test('says of each key who makes, keeps and has it, how long it lives and what replaces it (V11.1.1)', () => {
    const keys = rowsOf(inventory, 'Keys')
    for (const row of keys) {
      expect([row[0], row.length]).toEqual([row[0], 6])
      for (const cell of row) expect([row[0], cell]).not.toEqual([row[0], ''])
    }
    const named = keys.flatMap(([name]) => quoted(name!))
    const own = /OwnSecretName = ([^\n]*)/.exec(textOf('services/gateway/tokens/own-secret.ts'))![1]!
    for (const [, name] of own.matchAll(/'(\w+)'/g)) expect(named).toContain(name!)
    // opens a REST interface that is not used
    const secrets = VARIABLES.filter(
      ({ secret, later, name }) => secret && !later && name !== 'SUPABASE_SERVICE_ROLE_KEY',
    )
    for (const { name } of secrets) expect(named).toContain(name)
    const places = keys.flatMap(([, , kept]) => quoted(kept!)).join()
    for (const { paths } of Object.values(SECRET_ACCESS))
      for (const path of paths) expect(places).toContain(`secret/data/${path}`)
  })
  test('names everything that a process connects to (V13.1.1)', () => {
    const uses =
      /from 'ioredis'|from 'kafkajs'|from 'pg'|from 'node-vault'|from 'nodemailer'|\bS3Client\(|Bun\.connect\(|new WebSocket\(|(?<![.\w])await fetch\(|from 'node:(https?|dns|dns\/promises|net|tls)'/
    // types and addresses only, or what listens
    const local = /kernel\/(proxies|listen)\.ts$|ports\/kafka|gateway\/(config|limits\/)/
    expect(uncovered(rowsOf(inventory, 'Connections'), uses).filter((path) => !local.test(path))).toEqual([])
  })
  test('puts every table into one class of data, and says how each class is protected (V14.1.1, V14.1.2)', () => {
    const migrations = readdirSync(`${ROOT}prisma/migrations`).filter((name) => /^\d/.test(name))
    const made = new Set<string>()
    for (const name of migrations) {
      const path = `${ROOT}prisma/migrations/${name}/migration.sql`
      if (!existsSync(path)) continue
      for (const [, statement, table] of readFileSync(path, 'utf8').matchAll(
        /^(create table|drop table)(?: if (?:not )?exists)? ([\w.]+)/gim,
      ))
        if (statement!.toLowerCase() === 'create table') made.add(table!)
        else made.delete(table!)
    }
    const rows = rowsOf(inventory, 'Data')
    const classes = rows.filter((row) => row.length === 4 && row[3] !== 'tables')
    const named = classes.flatMap((row) => quoted(row[3]!))
    expect(named.toSorted()).toEqual([...made].sort())
    const protections = rows.filter((row) => row.length === 6)
    expect(protections.map(([name]) => name).filter((name) => name !== 'class')).toEqual(classes.map(([name]) => name!))
    for (const row of protections) for (const cell of row) expect(cell).not.toBe('')
  })
  test('says of each log what, in which form, where, for whom and how long (V16.1.1)', () => {
    const logs = rowsOf(inventory, 'Logs')
    expect(logs.map(([name]) => name)).toEqual(['requests', 'errors', 'audit', 'metrics', 'secrets server'])
    for (const row of logs) expect([row.length, row.includes('')]).toEqual([6, false])
    expect(Object.keys(AUDIT_ACTIONS).length).toBeGreaterThan(10)
  })
})

describe('the rules', () => {
  test('of input: every operation that takes something says what it must be (V2.1.1)', () => {
    type Operation = {
      operationId: string
      parameters?: { name: string; schema?: object }[]
      requestBody?: { content: Record<string, { schema?: object }> }
    }
    for (const methods of Object.values(document.paths) as unknown as Record<string, Operation>[])
      for (const { operationId, parameters = [], requestBody } of Object.values(methods)) {
        for (const { name, schema } of parameters)
          expect([operationId, name, schema]).toEqual([operationId, name, expect.anything()])
        for (const { schema } of Object.values(requestBody?.content ?? {}))
          expect([operationId, Object.keys(schema ?? {}).length > 0]).toEqual([operationId, true])
      }
    expect(rules).toContain('openapi/assay.json')
  })
  test('of fields that must agree name what checks them (V2.1.2)', () => {
    const agree = rowsOf(rules, 'What input must be')
    expect(agree.length).toBeGreaterThan(5)
    for (const [of, , by] of agree)
      for (const path of quoted(by!)) expect([of, existsSync(ROOT + path)]).toEqual([of, true])
  })
  test('of business: each bound in docs/limits.md names code that is there (V2.1.3)', () => {
    const limits = textOf('docs/limits.md')
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.startsWith('| what'))
    expect(limits.length).toBeGreaterThan(40)
    for (const line of limits) {
      const places = quoted(line).filter((text) => text.includes('/') && /^(packages|services|scripts)/.test(text))
      for (const place of places) expect([place, existsSync(ROOT + place)]).toEqual([place, true])
    }
  })
  test('of guessing say the figures that hold (V6.1.1)', async () => {
    const figures = rowsOf(rules, 'Guessing').map(([, bound]) =>
      bound!.match(/(\d+) in (\d+) (minutes|hours)/)!.slice(1),
    )
    const bounds = figures.map(([n, time, unit]) => ({
      n: Number(n),
      ms: Number(time) * (unit === 'hours' ? 3_600_000 : 60_000),
    }))
    const time = { now: 0 }
    const guard = createAttemptGuard({
      limits: createMemoryLimits({ monotonic: () => time.now }),
      nameOf: (email) => email,
      onHit: () => {},
    })
    const failures = async (attempt: (i: number) => Promise<unknown>): Promise<number> => {
      for (let i = 0; ; i++)
        if (
          await attempt(i).then(
            () => false,
            () => true,
          )
        )
          return i
    }
    const login = (address: string, email: string) => guard.login({ address, email, isKnownAddress: async () => false })
    const found = [
      await failures(() => login('1.1.1.1', 'pair@x.io')),
      await failures((i) => login('2.2.2.2', `${i}@x.io`)),
      await failures((i) => login(`3.0.${i >> 8}.${i & 255}`, 'all@x.io')),
      await failures(() => guard.registration('4.4.4.4')),
    ]
    expect(found).toEqual(bounds.map(({ n }) => n))
    // half of the longest time later the shorter ones are free again, the account is not
    time.now += bounds[0]!.ms + 1
    expect(await failures(() => login('1.1.1.1', 'pair@x.io'))).toBe(bounds[0]!.n)
    expect(await failures((i) => login(`3.1.0.${i}`, 'all@x.io'))).toBeLessThan(bounds[2]!.n)
  })
  test('of passwords list the words that none may be made of (V6.1.2)', () => {
    const words = quoted(/^Words: (.*)$/m.exec(rules)![1]!)
    const code = /const OURS = \[([^\]]*)\]/.exec(textOf('services/gateway/passwords/require-good-password.ts'))![1]!
    expect(words).toEqual([...code.matchAll(/'([^']+)'/g)].map(([, word]) => word!))
    for (const word of words) expect(weaknessOf(`${word.toUpperCase()}-12`)).not.toBeNull()
  })
  test('of the ways in name every route that gives a credential (V6.1.3)', () => {
    const named = new Set(rowsOf(rules, 'Ways in').flatMap(([, route]) => route!.match(/POST \/[^\s,]+/g) ?? []))
    const gives = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, { responses: object }>)
        .filter(([, { responses }]) =>
          /"(token|access_token|refresh_token|key|ticket)":\{/.test(JSON.stringify(resolved(responses))),
        )
        .map(([method]) => `${method.toUpperCase()} ${path}`),
    )
    expect(gives).toContain('POST /api/auth/login')
    expect(gives.filter((route) => !named.has(route))).toEqual([])
  })
  test('of sessions say the times that hold, and what a grant of OAuth is (V7.1.1, V7.1.2, V7.1.3)', () => {
    const idle = /ends (\d+) minutes after its last refresh/.exec(rules)![1]
    expect(config.parse({}).SESSION_TIMEOUT_MINUTES).toBe(Number(idle))
    expect(SESSION_MS).toBe(Number(/and (\d+) hours after its login/.exec(rules)![1]) * 3_600_000)
    expect(ACCESS_TOKEN_MS).toBe(Number(/lives (\d+) minutes at most/.exec(rules)![1]) * 60_000)
    expect(rules).toMatch(/NIST SP 800-63B/)
    expect(rules).toMatch(/OAuth client's grant is a session of its own: the same times/)
    expect(SESSIONS_PER_USER).toBe(Number(/at most (\d+) sessions at once/.exec(rules)![1]))
  })
  test('of access: each route by role and object, each field by reader and writer (V8.1.1, V8.1.2)', () => {
    const named = new Set(
      textOf('docs/access.csv')
        .split('\n')
        .map((line) => line.split(',')[0]),
    )
    for (const [path, methods] of Object.entries(document.paths))
      for (const method of Object.keys(methods)) expect(named).toContain(`${method.toUpperCase()} ${path}`)
    const fields = rowsOf(rules, 'Fields')
    expect(fields.length).toBeGreaterThan(5)
    for (const [field, ...rest] of fields) {
      expect([field, rest.length, rest.includes('')]).toEqual([field, 3, false])
      for (const place of quoted(rest[2]!)) expect([place, existsSync(ROOT + place)]).toEqual([place, true])
    }
  })
  test('of costly work and of dependencies are said (V15.1.1, V15.1.3)', () => {
    expect(rowsOf(rules, 'Costly work').length).toBeGreaterThan(5)
    expect(rules).toMatch(
      /critical or high stops `check` at once[\s\S]*within\s+7 days\. Moderate: 30 days\. Low[^.]*: 90 days/,
    )
  })
})

/** References are looked up, one level deep: the names of fields are enough. */
function resolved(value: unknown): unknown {
  const schemas = (document as { components: { schemas: Record<string, unknown> } }).components.schemas
  return JSON.parse(
    JSON.stringify(value, (_, one) => {
      const reference = (one as { $ref?: string } | null)?.$ref
      return reference ? schemas[reference.split('/').pop()!] : one
    }),
  )
}
