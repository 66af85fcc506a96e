import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { systemClock } from '@assay/core/ports/clock/system'
import { openVault } from '@assay/core/ports/secrets/vault'
import { describeReal } from '@assay/core/testing/adapters'
import { emptyPostgres, testServerUrl } from '@assay/core/testing/postgres'
import { until } from '@assay/core/testing/until'
import { sealEmail } from '@assay/services/gateway/invitations/rows'
import pg from 'pg'
import { ROOT } from './root.ts'
import { type Openbao, startOpenbao } from './stack/servers/openbao.ts'
import { vaultAdmin } from './vault/admin.ts'
import { setUpVault } from './vault/setup.ts'

type Child = Bun.Subprocess<'ignore', 'pipe', 'pipe'>
const INVITED = 200
const PASSWORD = 'correct horse battery'
const ada = { email: 'ada@assay.example', password: PASSWORD, name: 'Ada' }

describeReal('assay rotate with a secrets server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-rotate-'))
  const home = join(folder, 'home')
  const owner = `assay_owner_${crypto.randomUUID().slice(0, 8)}`
  let server: Openbao
  let database: Awaited<ReturnType<typeof emptyPostgres>>
  let sql: pg.Client
  let platform: Child
  const started: Child[] = []
  let token = ''

  const admin = () => vaultAdmin({ VAULT_ADDR: server.address, VAULT_TOKEN: server.rootToken })
  const loginOf = (service: string): Record<string, string> =>
    Object.fromEntries(
      readFileSync(join(home, 'vault', `${service}.env`), 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split('=')),
    )
  function start(argv: string[], env: Record<string, string> = {}): Child {
    const url = new URL(database.url)
    url.username = owner
    url.password = ''
    const child = Bun.spawn([process.execPath, `${ROOT}scripts/cli.ts`, ...argv], {
      env: {
        PATH: environment().PATH,
        HOME: home,
        ASSAY_HOME: home,
        DATABASE_URL: url.href,
        VAULT_DATABASE_ROLE: 'postgres-role',
        ...loginOf('assay'),
        ...env,
      },
      stdout: 'pipe',
      stderr: 'pipe',
    })
    started.push(child)
    return child
  }
  async function ended(child: Child): Promise<string> {
    const said = await Promise.all([child.stdout, child.stderr].map((stream) => new Response(stream).text()))
    return `${await child.exited} ${said.join('')}`.trim()
  }
  const rotate = (what: string, env: Record<string, string> = {}) => ended(start(['rotate', what], env))
  const up = () => start(['up', '--only=gateway', '--port=0'])
  const address = () => (JSON.parse(readFileSync(join(home, 'instance.json'), 'utf8')) as { url: string }).url
  async function ask(method: string, path: string, body?: object) {
    const answer = await fetch(address() + path, {
      method,
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: (await answer.json()) as { token: string; email: string; name: string } }
  }
  const isReady = async () => (await fetch(`${address()}/ready`)).ok
  const ready = () => until('the platform is up', () => isReady().catch(() => false), 60_000)
  async function stop(): Promise<void> {
    platform.kill('SIGTERM')
    await platform.exited
  }
  async function logIn(): Promise<void> {
    token = ''
    const { body } = await ask('POST', '/api/auth/login', { email: ada.email, password: PASSWORD })
    token = body.token
  }
  const rows = async (text: string) => (await sql.query(text)).rows as Record<string, string>[]
  /** How many columns each version of a key sealed. */
  async function versions(): Promise<Record<string, number>> {
    const sealed = await rows(
      'select wrapped as s from gateway.user_keys union all select sealed_email from gateway.invitations',
    )
    const count: Record<string, number> = {}
    for (const { s } of sealed) count[s!.split(':')[1]!] = (count[s!.split(':')[1]!] ?? 0) + 1
    return count
  }
  const logins = async () =>
    (await rows(`select from pg_roles where pg_has_role(oid, '${owner}', 'member') and rolname like 'v-%'`)).length
  const jwtKeys = async () => (await admin().call('GET', 'secret/data/jwt')).data.data as Record<string, string>

  beforeAll(async () => {
    server = await startOpenbao({ folder: join(folder, 'openbao') })
    database = await emptyPostgres()
    sql = new pg.Client({ connectionString: database.url })
    await sql.connect()
    const url = new URL(database.url)
    url.password ||= 'unused'
    await setUpVault({
      vault: admin(),
      database: { url: url.href, owner },
      folder: join(home, 'vault'),
      renew: false,
      progress: () => {},
    })
    platform = up()
    await ready()
    expect((await ask('POST', '/api/auth/register', ada)).status).toBe(201)
    await logIn()
    const { VAULT_ADDR, VAULT_ROLE_ID, VAULT_SECRET_ID } = loginOf('assay')
    const sealing = await openVault({
      address: VAULT_ADDR!,
      login: { method: 'approle', roleId: VAULT_ROLE_ID!, secretId: VAULT_SECRET_ID! },
      clock: systemClock,
      log: { info() {}, warn() {} },
    })
    for (let i = 0; i < INVITED; i++) {
      const id = crypto.randomUUID()
      await sql.query(
        `insert into gateway.invitations (id, tenant, email_index, sealed_email, role, created_at, expires_at)
         values ($1, 'default', $3, $2, 'trader', now(), now() + '1 day'::interval)`,
        [id, await sealEmail({ sealing }, id, `guest${i}@assay.example`), id],
      )
    }
    await sealing.close()
  }, 180_000)
  afterAll(async () => {
    for (const child of started) child.kill('SIGKILL')
    await Promise.all(started.map(({ exited }) => exited))
    await sql?.end()
    await database?.drop()
    const other = new pg.Client({ connectionString: testServerUrl() })
    await other.connect()
    for (const { rolname } of (
      await other.query(
        `select rolname from pg_roles where pg_has_role(oid, $1, 'member') and (rolname like 'v-%' or rolname = $1)`,
        [owner],
      )
    ).rows)
      await other.query(`drop role "${rolname}"`)
    await other.end()
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  test('what makes no sense, may not be done, or finds the server away says so, and nothing is changed', async () => {
    const before = [await versions(), await jwtKeys()]
    const said = await rotate('encryption-key')
    expect(said).toStartWith('2 assay rotate: the secrets are in Vault')
    expect(said).toContain('assay rotate fields')
    expect(await rotate('fields', loginOf('trading'))).toMatch(/^1 assay rotate: .*refuses decrypt.*permission denied$/)
    expect(await rotate('fields', { VAULT_SECRET_ID: 'x' })).toMatch(/^1 assay rotate: VAULT_ADDR: no login at/)
    expect(await rotate('fields', { VAULT_ADDR: 'http://127.0.0.1:1' })).toMatch(
      /^1 assay rotate: VAULT_ADDR: no login at/,
    )
    expect(await rotate('email-index')).toMatch(/^1 assay rotate: .*is in use by another Assay/)
    const elsewhere = join(folder, 'elsewhere')
    expect(await rotate('email-index', { ASSAY_HOME: elsewhere })).toMatch(/^2 assay rotate: a gateway runs/)
    expect([await versions(), await jwtKeys()]).toEqual(before)
  }, 120_000)

  test('fields: beside a running platform, all is sealed under the new version of the keys; sealed half-way, called again, called a third time', async () => {
    const people = (await rows('select from gateway.user_keys')).length
    const all = people + INVITED
    expect(await versions()).toEqual({ v1: all })
    for (const key of ['users', 'invitations']) await admin().call('POST', `transit/keys/gateway.${key}/rotate`)

    const child = start(['rotate', 'fields'])
    await until('it is half-way', async () => ((await versions()).v2 ?? 0) > people, 30_000)
    child.kill('SIGSTOP')
    await admin().call('PUT', 'sys/seal')
    child.kill('SIGCONT')
    const said = await ended(child)
    expect(said).toMatch(/^1 assay rotate: .*\(Vault is sealed\) The same call goes on/)
    expect(said).not.toMatch(/^\s+at .+:\d+/m)
    const { v1 = 0, v2 = 0 } = await versions()
    expect([v1 > 0, v1 + v2]).toEqual([true, all])
    expect((await ask('GET', '/api/users/me')).body).toMatchObject({ email: ada.email, name: 'Ada' })
    await server.restart()

    const open = await logins()
    for (let time = 0; time < 2; time++) {
      expect(await rotate('fields')).toBe(`0 done: ${all} rows are sealed under the newest keys`)
      expect(await versions()).toEqual({ v2: all })
    }
    // each takes its database login back when it ends
    expect(await logins()).toBe(open)
    // the older version opens nothing any more, and nothing needs it
    for (const key of ['users', 'invitations'])
      await admin().call('POST', `transit/keys/gateway.${key}/config`, { min_decryption_version: 2 })
    const bob = { email: 'bob@assay.example', password: PASSWORD, name: 'Bob' }
    await until(
      'the platform registers',
      async () => (await ask('POST', '/api/auth/register', bob)).status === 201,
      20_000,
    )
    expect(await versions()).toEqual({ v2: all + 1 })
    expect((await ask('GET', '/api/users/me')).body).toMatchObject({ email: ada.email, name: 'Ada' })
    await stop()
    platform = up()
    await ready()
    await logIn()
    expect((await ask('GET', '/api/users/me')).body).toMatchObject({ email: ada.email, name: 'Ada' })
  }, 180_000)

  test('email-index: of a stopped platform; killed half-way nothing starts, and the same call ends it', async () => {
    await stop()
    const before = (await jwtKeys()).email_index
    const indexes = async () =>
      new Set((await rows('select email_index as at from gateway.invitations')).map(({ at }) => at))
    const old = await indexes()
    const child = start(['rotate', 'email-index'])
    await until('it is half-way', async () => (await indexes()).difference(old).size > 0, 30_000)
    child.kill('SIGKILL')
    await child.exited
    expect((await indexes()).intersection(old).size).toBeGreaterThan(0)
    const refused = await ended(up())
    expect(refused).toStartWith('1 ')
    expect(refused).toContain('assay rotate email-index ends it')
    expect((await jwtKeys()).email_index).toBe(before!)

    expect(await rotate('email-index')).toMatch(new RegExp(`^0 done: \\d+ users and ${INVITED} invitations`))
    expect((await indexes()).intersection(old).size).toBe(0)
    const { email_index, email_index_next } = await jwtKeys()
    expect(email_index).not.toBe(before!)
    expect(email_index_next).toBeUndefined()
    platform = up()
    await ready()
    await logIn()
    expect((await ask('GET', '/api/users/me')).body).toMatchObject({ email: ada.email, name: 'Ada' })
    token = ''
    expect((await ask('POST', '/api/auth/register', ada)).status).toBe(409)
  }, 180_000)
})
