import { afterAll, beforeAll, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import type { AssessmentResource } from '@assay/core/contracts/wire/assessment'
import type { OrderAnswer } from '@assay/core/contracts/wire/order'
import { openLocalCa, writeCredentials } from '@assay/core/kernel/local-ca'
import { unseal } from '@assay/core/ports/secrets/seal'
import { describeReal } from '@assay/core/testing/adapters'
import { until } from '@assay/core/testing/until'
import type { AuditVerified } from '@assay/services/gateway/audit/verify-audit'
import { CHECKPOINTS } from '@assay/services/gateway/audit/write-checkpoint'
import { USER_KEYS } from '@assay/services/gateway/privacy/wrapped'
import { TRADING_TABLES } from '@assay/services/trading/privacy/tables'
import { strFromU8, unzipSync } from 'fflate'
import { freePortTable } from '../../scripts/stack/ports.ts'
import { readRecord } from '../../scripts/stack/records.ts'
import { stackFolder } from '../../scripts/stack/stack.ts'
import type { ProcessRecord } from '../../scripts/supervise/processes.ts'
import { type Api, openApi } from './api.ts'
import { openContract } from './contract.ts'
import { readJournal } from './journal.ts'
import { connectAs, follow } from './live.ts'
import { operatorToken, type Person, signUp, startAssessment, type Tokens } from './people.ts'
import { type Process, runCommand, scratchHome, startProcess } from './platform.ts'
import { isTaken, openDoors, type Refused, refusals, showTwice, tell } from './revocation.ts'
import { openStackData } from './stack-data.ts'

/** The bound that every service keeps. */
const WITHIN_MS = 2_000
/** Of a connection that is open: by the bus, or by being asked about; this machine may be busy. */
const LIVE_WITHIN_MS = 5_000
/** Whose credential is refused is nobody, who may read 50 times an hour. */
const UNLIMITED = { RATE_LIMIT_PER_MINUTE: '60000', RATE_LIMIT_PER_HOUR: '60000', RATE_LIMIT_PER_DAY: '60000' }

/** A person who starts Assay with one command on this machine: servers of its own, then every service and replica. */
describeReal('up --distributed', () => {
  const { home, remove } = scratchHome()
  const contract = openContract()
  let port: number
  let platform: Process
  let api: Api
  let ann: Person
  let id: string
  const at = (rest = '') => `/api/assessments/${id}${rest}`
  const processes = () => JSON.parse(readFileSync(join(home, 'processes.json'), 'utf8')) as ProcessRecord[]

  beforeAll(async () => {
    port = await freePortTable()
    platform = await startProcess(home, {
      env: { FEEDS: 'sim?speed=20x', ...UNLIMITED },
      argv: ['--distributed', `--port=${port}`],
      startMs: 400_000,
    })
    api = openApi(platform.url, contract)
    ann = await signUp(api, 'ann', await operatorToken(api))
  }, 420_000)
  afterAll(async () => {
    await platform?.stop('SIGKILL')
    await runCommand(home, ['stack', 'down', '--wipe'])
    remove()
  }, 120_000)

  test('starts every replica with a name, a process and a port of its own', async () => {
    const names = processes().map(({ instance }) => instance)
    expect(names).toEqual([
      'gateway-0',
      'market-data-0',
      'market-data-1',
      'trading-0',
      'trading-1',
      'trading-2',
      'websocket-0',
      'websocket-1',
    ])
    for (const field of ['pid', 'url'] as const)
      expect(new Set(processes().map((one) => one[field])).size).toBe(names.length)
    expect(await api.get<object>('/health')).toMatchObject({
      status: 'ok',
      stores: { db: { kind: 'postgres' }, bus: { kind: 'kafka' }, secrets: { kind: 'vault' }, blobs: { kind: 's3' } },
    })
    const { code, output } = await runCommand(home, ['status'])
    expect([code, output.match(/ ready /g)?.length]).toEqual([0, names.length])
  }, 60_000)

  test('a trader trades through the gateway while a replica drains, without an error, and another is killed; fails by a rule', async () => {
    id = await startAssessment(ann, 'demo-usd')
    const live = follow(`assessment:${id}`)
    await live.on(await connectAs(platform.url, ann.token))
    const [drained, victim] = ['trading-2', 'trading-1'].map(
      (name) => processes().find(({ instance }) => instance === name)!,
    ) as [ProcessRecord, ProcessRecord]
    let status = 'started'
    for (let n = 0; status === 'started' && n < 200; n++) {
      if (n === 2) process.kill(drained.pid!, 'SIGTERM')
      if (n === 20) process.kill(victim.pid!, 'SIGKILL')
      const refused = await place(n)
      if (n < 20) expect({ n, refused }).toEqual({ n, refused: [] })
      const seen = await ann.api.send<AssessmentResource>('GET', at())
      if (seen.status === 200) status = seen.body.status
      else expect(seen.status).toBe(429)
    }
    expect(status).toBe('failed')
    const { items } = await ann.bot.get<{ items: { rule: string }[] }>(at('/violations'))
    expect(items.map(({ rule }) => rule)).toContain('max_daily_loss')
    const journal = await readJournal(ann.bot, id)
    expect(journal.map(({ aseq }) => aseq)).toEqual(journal.map((_, index) => index))
    // what was pushed is what was written, in its order
    await until('the last record', () => live.last() === journal.at(-1)!.aseq, 20_000)
    const pushed = live.events.map(({ seq }) => seq!)
    expect(pushed).toEqual(pushed.toSorted((a, b) => a - b))
    await until('it runs again', () => processes().every(({ ready }) => ready), 120_000)
    const again = processes().find(({ instance }) => instance === 'trading-1')!
    expect(again).toMatchObject({ restarts: 1 })
    expect(again.pid).not.toBe(victim.pid!)
  }, 300_000)

  test('the verdict follows from its proof, offline, by the keys of the data folder', async () => {
    let answer = await ann.bot.send<Uint8Array>('GET', at('/proof'))
    await until(
      'the proof',
      async () => {
        answer = await ann.bot.send('GET', at('/proof'))
        return answer.status === 200
      },
      60_000,
    )
    await Bun.write(join(home, 'ann.proof'), answer.body)
    expect(await runCommand(home, ['verify', 'ann.proof'])).toMatchObject({ code: 0 })
  }, 120_000)

  /** An operator of the house, so that every service has something for her alone; each call is another session. */
  async function olga() {
    const house = api.as(await operatorToken(api))
    const person = await signUp(api, `olga${Math.random()}`, await operatorToken(api))
    await house.send('PATCH', `/api/users/${person.id}`, { body: { role: 'operator' } })
    const logIn = async () => {
      const { token } = await api.post<Tokens>('/api/auth/login', { email: person.email, password: person.password })
      return { token, api: api.as(token) }
    }
    const scopes = ['ops:metrics', 'trading:read']
    const newKey = async () =>
      (await logIn()).api.post<{ id: string; key: string }>('/api/api-keys', { name: 'watch', scopes })
    return { id: person.id, house, logIn, newKey }
  }
  /** Opens a WebSocket; the answer waits for its end and tells how long that took from now. */
  async function endOf(credential: string) {
    const client = await connectAs(platform.url, credential)
    const from = performance.now()
    const end = client.closed.then(({ code }) => ({ code, ms: Math.round(performance.now() - from) }))
    return async (what: string) => {
      const { code, ms } = await Promise.race([end, Bun.sleep(20_000).then(() => ({ code: 0, ms: 20_000 }))])
      console.log(`${what}: the open WebSocket ended with ${code} after ${ms} ms`)
      expect([code, ms < LIVE_WITHIN_MS]).toEqual([4403, true])
    }
  }
  const withinBound = (refused: readonly Refused[]) => refused.filter(({ takenMs }) => takenMs >= WITHIN_MS)
  const allTaken = (statuses: number[]) => statuses.filter((status) => !isTaken(status))

  test('a session, an API key and a user that end are refused by every process within 2 s, at its own port and behind the gateway', async () => {
    const { all: doors } = await openDoors(home, platform.url, processes())
    const { id: user, house, logIn, newKey } = await olga()
    const [first, second, keyed, kept] = [await logIn(), await logIn(), await newKey(), await newKey()]
    expect(allTaken(await showTwice(doors, [first.token, second.token, keyed.key, kept.key]))).toEqual([])

    const ended = await endOf(first.token)
    await first.api.post('/api/auth/logout')
    const loggedOut = await refusals(doors, first.token)
    tell('logged out', loggedOut)
    await ended('logged out')
    await second.api.delete(`/api/api-keys/${keyed.id}`)
    const revoked = await refusals(doors, keyed.key)
    tell('key revoked', revoked)
    // who has nothing to do with it goes on
    expect(allTaken(await showTwice(doors, [second.token, kept.key]))).toEqual([])

    await house.send('PATCH', `/api/users/${user}`, { body: { disabled: true } })
    const [disabled, keyOfDisabled] = await Promise.all([refusals(doors, second.token), refusals(doors, kept.key)])
    tell('user disabled, the session', disabled)
    tell('user disabled, the key', keyOfDisabled)
    expect([loggedOut, revoked, disabled, keyOfDisabled].flatMap(withinBound)).toEqual([])
  }, 180_000)

  test('with the broker standing still too; with the gateway beside it nobody is let in; then all is as before', async () => {
    const { all: doors, metrics } = await openDoors(home, platform.url, processes())
    const away = doors.filter(({ name }) => !/gateway|public/.test(name))
    const { logIn } = await olga()
    const [first, second, third] = [await logIn(), await logIn(), await logIn()]
    const tokens = [first.token, second.token, third.token]
    expect(allTaken(await showTwice(doors, tokens))).toEqual([])
    const broker = readRecord(join(stackFolder(home), 'kafka'))!.pid
    const gateway = processes().find(({ service }) => service === 'gateway')!.pid!
    const refused: Refused[][] = []
    const ended = await endOf(first.token)
    process.kill(broker, 'SIGSTOP')
    try {
      await first.api.post('/api/auth/logout')
      refused.push(await refusals(doors, first.token))
      tell('logged out, the broker stopped', refused.at(-1)!)
      await ended('logged out, the broker stopped')
      // they ask for each credential
      expect(allTaken(await showTwice(doors, [second.token]))).toEqual([])
      process.kill(gateway, 'SIGSTOP')
      refused.push(await refusals(away, second.token, 503))
      tell('broker and gateway stopped', refused.at(-1)!)
    } finally {
      process.kill(gateway, 'SIGCONT')
      process.kill(broker, 'SIGCONT')
    }
    await until('all take it again', async () => allTaken(await showTwice(doors, [second.token])).length === 0, 60_000)
    const remembered = async (instance: string) => {
      const text = await metrics(instance, third.token)
      return Number(/^cache_requests_total\{name="sessions",outcome="hit"\} (\d+)/m.exec(text)?.[1] ?? 0)
    }
    for (const { name } of away) {
      const hearsAgain = async () => {
        const before = await remembered(name)
        return (await remembered(name)) > before
      }
      await until(`${name} remembers again`, hearsAgain, 60_000)
    }
    await second.api.post('/api/auth/logout')
    refused.push(await refusals(doors, second.token))
    tell('logged out, the broker back', refused.at(-1)!)
    expect(refused.flatMap(withinBound)).toEqual([])
    expect(processes().filter(({ ready }) => !ready)).toEqual([])
  }, 240_000)

  test('an export holds what every service knows; who erases himself is refused by all, and his key is nowhere', async () => {
    const [bob, data] = [await signUp(api, 'bob', await operatorToken(api)), await openStackData(home)]
    const bought = { body: { tier_id: 'demo-usd' }, headers: { 'idempotency-key': crypto.randomUUID() } }
    expect((await bob.api.send('POST', '/api/purchases', bought)).status).toBe(201)
    const files = unzipSync(await bob.api.get<Uint8Array>('/api/privacy/export'))
    const rowsOf = (name: string) => JSON.parse(strFromU8(files[`${name}.json`]!)) as object[]
    expect(rowsOf('gateway/users')).toMatchObject([{ id: bob.id, email: bob.email }])
    // through Kafka and the chain
    await until('the audit log has it', async () => {
      const told = await data.query(`select from gateway.audit where actor = $1 and action = 'login'`, [bob.id])
      return told.length > 0
    })
    expect(rowsOf('trading/purchase')).toHaveLength(1)

    // as a copy of the database would have it
    const [user] = await data.query<{ email: string }>('select email from gateway.users where id = $1', [bob.id])
    const keysOf = () =>
      data.query<{ wrapped: string }>('select wrapped from gateway.user_keys where user_id = $1', [bob.id])
    const [key] = await keysOf()
    expect(key!.wrapped).toStartWith('vault:v1:')
    const opened = await data.secrets.decrypt(USER_KEYS.key, key!.wrapped, USER_KEYS.context(bob.id))
    const sealed = user!.email.slice(`s1.${bob.id}.`.length)
    expect(new TextDecoder().decode(unseal(opened, sealed, `gateway.users.email/${bob.id}`))).toBe(bob.email)

    const { all: doors } = await openDoors(home, platform.url, processes())
    const others = doors.filter(({ name }) => !name.startsWith('market-data'))
    expect(allTaken(await showTwice(others, [bob.token]))).toEqual([])
    await bob.api.post('/api/privacy/erase', { password: bob.password })
    const refused = await refusals(others, bob.token)
    tell('erased', refused)
    expect(withinBound(refused)).toEqual([])
    const remembered = TRADING_TABLES.find(({ erase }) => erase === 'delete')!
    const left = () => data.query(`select from ${remembered.table} where ${remembered.of}`, [bob.id])
    await until('trading has heard of it by Kafka', async () => (await left()).length === 0, 20_000)
    expect(await keysOf()).toEqual([])
    const [erased] = await data.query<{ row: string }>('select u::text as row from gateway.users u where id = $1', [
      bob.id,
    ])
    expect(erased!.row).not.toContain(sealed)
    const all = await data.query<{ row: string }>('select k::text as row from gateway.user_keys k')
    expect(all.filter(({ row }) => row.includes(key!.wrapped))).toEqual([])
    await data.close()
  }, 120_000)

  test('renewed certificates are shown by every process that runs, and nobody is refused meanwhile', async () => {
    const folder = join(home, 'certificates')
    const ca = await openLocalCa(folder)
    const [before, serials] = [processes(), new Map<string, string>()]
    const shown = async (url: string) => {
      const { promise, resolve } = Promise.withResolvers<string>()
      const tls = await ca.issue('gateway', 3_600_000)
      const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', ...tls, rejectUnauthorized: false })
      socket.on('error', () => resolve(''))
      socket.on('secureConnect', () => {
        resolve(socket.getPeerCertificate().serialNumber)
        socket.destroy()
      })
      return promise
    }
    let asking = true
    const statuses: number[] = []
    const clients = (async () => {
      while (asking) statuses.push((await ann.api.send('GET', '/api/purchases')).status)
    })()
    for (const { instance, service } of before) {
      const issued = await ca.issue(service, 3_600_000)
      writeCredentials(folder, instance, issued)
      serials.set(instance, new X509Certificate(issued.cert).serialNumber)
    }
    const allNew = async () => {
      const now = await Promise.all(before.map(async (one) => (await shown(one.url)) === serials.get(one.instance)))
      return now.every(Boolean)
    }
    await until('all show theirs', allNew, 30_000)
    const { all: doors } = await openDoors(home, platform.url, before)
    const { logIn } = await olga()
    expect(allTaken(await showTwice(doors, [(await logIn()).token]))).toEqual([])
    asking = false
    await clients
    expect([statuses.length > 10, allTaken(statuses)]).toEqual([true, []])
    expect(processes().map(({ pid, restarts }) => [pid, restarts])).toEqual(
      before.map((one) => [one.pid, one.restarts]),
    )
  }, 120_000)

  test('SIGTERM ends every process in order, with 0 and without an error', async () => {
    const pids = processes().map(({ pid }) => pid!)
    const { code, output } = await platform.stop()
    expect([code, output]).toEqual([0, expect.not.stringContaining('killed')])
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow()
  }, 120_000)

  test('the audit log that came through Kafka holds by its checkpoints on S3; a row changed or taken out is found, and a checkpoint', async () => {
    const data = await openStackData(home)
    const verify = async () => {
      const { code, output } = await runCommand(home, ['audit', 'verify', '--json'], data.env)
      const line = /^{"findings.*$/m.exec(output)?.[0]
      if (!line) throw new Error(`exit ${code}: ${output}`)
      return { code, ...(JSON.parse(line) as AuditVerified) }
    }
    /** the owner of the database gets past the triggers */
    const tamper = async (sql: string) => {
      await data.query(`begin; alter table gateway.audit disable trigger user; ${sql};
        alter table gateway.audit enable trigger user; commit`)
    }
    const whole = await verify()
    expect([whole.code, whole.findings]).toEqual([0, []])
    expect(whole.rows).toBeGreaterThan(10)
    expect(whole.checkpoints).toBeGreaterThan(0)
    const told = await data.query<{ action: string }>('select distinct action from gateway.audit')
    expect(told.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['login', 'privacy.erased', 'journals.extended', 'secret.read']),
    )
    const place = (seq: number) => `default/${seq}`
    await tamper(`update gateway.audit set actor = 'nobody' || actor where tenant = 'default' and seq = 3`)
    expect(await verify()).toMatchObject({ code: 1, findings: [{ place: place(3) }] })
    await tamper(`update gateway.audit set actor = substr(actor, 7) where tenant = 'default' and seq = 3`)
    expect((await verify()).code).toBe(0)
    await tamper(`delete from gateway.audit where tenant = 'default' and seq = 5`)
    expect(await verify()).toMatchObject({ code: 1, findings: [{ place: place(6) }] })
    const [checkpoint] = await data.blobs.list(CHECKPOINTS, { limit: 1 })
    await data.blobs.delete(checkpoint!)
    expect((await verify()).findings).toContainEqual({ place: checkpoint!, said: 'is gone: it was recorded' })
    await data.close()
  }, 120_000)

  /** Buys, then sells: each way costs the spread and the fees. The answers before the one that counts: nobody knows at once who owns a slot whose owner was killed. */
  async function place(n: number): Promise<number[]> {
    const refused: number[] = []
    const order = { symbol: 'BTC/USD', side: n % 2 === 0 ? 'buy' : 'sell', type: 'market', quantity: '0.14' }
    await until(
      `order ${n}`,
      async () => {
        const answer = await ann.bot.send<OrderAnswer>('POST', at('/orders'), {
          body: { ...order, client_order_id: `order-${n}` },
        })
        // who is quicker than the limit waits as it is told
        if (answer.status === 429) {
          await Bun.sleep(1000 * Number(answer.headers.get('retry-after') ?? 1))
          return false
        }
        if (answer.status < 500) return true
        refused.push(answer.status)
        await Bun.sleep(100)
        return false
      },
      60_000,
    )
    return refused
  }
})
