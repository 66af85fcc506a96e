import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { PositionList } from '@assay/core/contracts/wire/account'
import type { AssessmentResource } from '@assay/core/contracts/wire/assessment'
import type { OrderAnswer, OrderResource } from '@assay/core/contracts/wire/order'
import { type JournalKeys, trustedKeys } from '@assay/core/domain/journal/keys'
import { checkReceipt, type Receipt } from '@assay/core/domain/journal/receipt'
import { openDatabase } from '@assay/core/kernel/database'
import { describeReal } from '@assay/core/testing/adapters'
import { until } from '@assay/core/testing/until'
import { auditDatabase } from '../../scripts/audit/audit.ts'
import type { Server } from '../../scripts/stack/server.ts'
import { startKafka } from '../../scripts/stack/servers/kafka.ts'
import { type Openbao, startOpenbao } from '../../scripts/stack/servers/openbao.ts'
import { startPostgres } from '../../scripts/stack/servers/postgres.ts'
import { startVersitygw } from '../../scripts/stack/servers/versitygw.ts'
import { settle } from '../../scripts/stack/settle.ts'
import { vaultAdmin } from '../../scripts/vault/admin.ts'
import { setUpVault } from '../../scripts/vault/setup.ts'
import { asAdmin } from '../chaos/effect.ts'
import { EVENTS_TABLE, loadEvents, readTopics } from '../chaos/kafka-topics.ts'
import { type Api, openApi } from './api.ts'
import { openContract } from './contract.ts'
import { readJournal } from './journal.ts'
import { operatorToken, type Person, signUp, startAssessment, type Tokens } from './people.ts'
import { killCommandAt, type Process, runCommand, scratchHome, startProcess } from './platform.ts'

/** Market time runs 20 times as fast: segments end every 3 s, so there are many to move. */
const FEEDS = 'sim?speed=20x'
const KEYS = '/.well-known/assay-journal-keys.json'

/** An embedded platform with traders moves to PostgreSQL, Kafka, OpenBao and S3, and goes on there. */
describeReal('assay migrate', () => {
  const { home, remove } = scratchHome()
  const servers = join(home, 'servers')
  const contract = openContract()
  let running: Server[] = []
  let platform: Process
  let api: Api
  let env: Record<string, string>
  /** fails before the move */
  let bob: Person
  let failed: string
  /** begins before the move and ends after it */
  let ann: Person
  let open: string
  const receipts: Receipt[] = []
  const before = { journals: new Map<string, unknown[]>(), keys: {} as JournalKeys, positions: {} as PositionList }
  let working: OrderAnswer['order']
  let states: unknown[]

  beforeAll(async () => {
    const at = (name: string) => {
      mkdirSync(join(servers, name), { recursive: true })
      return { folder: join(servers, name) }
    }
    platform = await startProcess(home, { env: { FEEDS }, startMs: 60_000 })
    running = (await settle<Server>([
      startPostgres(at('postgres')),
      startKafka(at('kafka')),
      startOpenbao(at('openbao')),
      startVersitygw(at('versitygw')),
    ])) as Server[]
    const { address, rootToken } = running[2] as Openbao
    const vault = vaultAdmin({ VAULT_ADDR: address, VAULT_TOKEN: rootToken })
    await setUpVault({ vault, folder: join(servers, 'logins'), renew: false, progress: () => {} })
    env = Object.assign({}, ...running.map((server) => server.env))
  }, 240_000)
  afterAll(async () => {
    await platform?.stop('SIGKILL')
    await settle(running.map((server) => server.stop()))
    remove()
  }, 180_000)

  const place = async (who: Person, id: string, order: object): Promise<OrderAnswer | null> => {
    const body = { symbol: 'BTC/USD', side: 'buy', type: 'market', quantity: '0.14', ...order }
    const answer = await who.bot.send<OrderAnswer>('POST', `/api/assessments/${id}/orders`, { body })
    if (answer.body.receipt) receipts.push(answer.body.receipt as Receipt)
    return answer.status < 300 ? answer.body : null
  }
  const statusOf = async (who: Person, id: string) =>
    (await patiently(() => who.bot.get<AssessmentResource>(`/api/assessments/${id}`))).status
  /** Each way costs the spread and the fees. */
  const tradeUntilFailed = async (who: Person, id: string) => {
    for (let n = 0; n < 400 && (await statusOf(who, id)) === 'started'; n++)
      await place(who, id, { side: n % 2 === 0 ? 'buy' : 'sell' })
    expect(await statusOf(who, id)).toBe('failed')
  }
  /** On a busy machine an owner may lose its slots for a moment, which is a 503. */
  const patiently = async <T>(ask: () => Promise<T>): Promise<T> => {
    let answer: T | undefined
    const asked = async () => {
      answer = await ask().catch((error: Error) => {
        if (!/: 50[34] /.test(error.message)) throw error
        return undefined
      })
      return answer !== undefined
    }
    await until('an answer', asked, 60_000)
    return answer!
  }
  const positionsOf = (who: Person, id: string) =>
    patiently(() => who.bot.get<PositionList>(`/api/assessments/${id}/positions`))
  const journalOf = (who: Person, id: string) => patiently(() => readJournal(who.bot, id))
  const moved = (more: Record<string, string> = {}, argv: string[] = []) =>
    runCommand(home, ['migrate', '--to', more.DATABASE_URL ?? env.DATABASE_URL!, ...argv], { ...env, ...more })
  const onTarget = <T>(name: string, work: Parameters<typeof asAdmin<T>>[1]) => asAdmin(databaseOf(name), work)
  const databaseOf = (name: string): string => {
    const url = new URL(env.DATABASE_URL!)
    url.pathname = `/${name}`
    return url.href
  }
  const newDatabase = async (name: string): Promise<string> => {
    await asAdmin(env.DATABASE_URL!, (ask) => ask(`create database ${name}`))
    const url = databaseOf(name)
    expect((await runCommand(home, ['db', 'migrate'], { DATABASE_URL: url })).code).toBe(0)
    return url
  }
  const embedded = async <T>(work: (db: Awaited<ReturnType<typeof openDatabase>>) => Promise<T>): Promise<T> => {
    const db = await openDatabase({ ASSAY_HOME: home, DATABASE_POOL_SIZE: 4 }, console)
    return work(db).finally(() => db.close())
  }
  const STATES = 'select account, aseq, cseq, hash, state_hash from trading.account order by account'

  test('a platform that runs is refused, and is not disturbed', async () => {
    api = openApi(platform.url, contract)
    const operator = await operatorToken(api)
    ann = await signUp(api, 'ann', operator)
    bob = await signUp(api, 'bob', operator)
    failed = await startAssessment(bob, 'demo-usd')
    open = await startAssessment(ann, 'demo-usd')
    await tradeUntilFailed(bob, failed)
    const placed = (order: object) => until('an order', async () => (await place(ann, open, order)) !== null, 60_000)
    await placed({ client_order_id: 'bought' })
    await placed({ client_order_id: 'sold', side: 'sell', quantity: '0.04' })
    const rests = { client_order_id: 'rests', type: 'limit', price: '1000' }
    await placed(rests)
    working = (await place(ann, open, rests))!.order
    const { code, output } = await moved()
    expect([code, output]).toEqual([2, expect.stringContaining(`in use by another Assay (process ${platform.pid})`)])
    for (const [who, id] of [
      [ann, open],
      [bob, failed],
    ] as const)
      before.journals.set(id, await journalOf(who, id))
    before.keys = await api.get<JournalKeys>(KEYS)
    before.positions = await positionsOf(ann, open)
    // a bundle of sealed segments lies in the blobs once an hour of market time is over; a proof is kept before
    await until('a blob', () => existsSync(join(home, 'blobs')), 120_000)
    expect((await platform.stop()).code).toBe(0)
    states = await embedded((db) => db.query(STATES))
  }, 300_000)

  test('--check tells what would move and changes nothing', async () => {
    const { code, output } = await moved({}, ['--check'])
    expect([code, output]).toEqual([0, expect.stringContaining('nothing was changed')])
    for (const part of ['database', 'kafka', 'blobs', 'secrets']) expect(output).toMatch(new RegExp(` ${part} +to `))
    expect(await onTarget('assay', (ask) => ask(`select 1 from pg_namespace where nspname = 'trading'`))).toEqual([])
  }, 180_000)

  test('a target that holds data is refused by the name of the table', async () => {
    const url = await newDatabase('used')
    await onTarget('used', (ask) => ask(`insert into bus.inbox values ('somebody', gen_random_uuid())`))
    const { code, output } = await moved({ DATABASE_URL: url })
    expect([code, output]).toEqual([1, expect.stringContaining('already holds data (bus.inbox)')])
  }, 180_000)

  test('a table that arrives otherwise than it left is named, and the target keeps nothing', async () => {
    const url = await newDatabase('bent')
    await onTarget('bent', (ask) =>
      ask(`create function bend() returns trigger language plpgsql as $$ begin
        if new.account = '${failed}' then new.price := new.price + 0.00000001; end if; return new; end $$;
        create trigger bend before insert on trading.fills for each row execute function bend()`),
    )
    // the database alone
    const only = { KAFKA_BROKERS: '', VAULT_ADDR: '', VAULT_TOKEN: '', S3_BUCKET: '' }
    const { code, output } = await moved({
      DATABASE_URL: url,
      ...only,
      S3_ENDPOINT: '',
      S3_ACCESS_KEY_ID: '',
      S3_SECRET_ACCESS_KEY: '',
    })
    expect([code, output]).toEqual([2, expect.stringContaining('trading.fills is not the same on both sides')])
    expect(await onTarget('bent', (ask) => ask('select 1 from trading.assessment'))).toEqual([])
  }, 180_000)

  test('killed among the topics and among the tables it is run again, and then everything is there', async () => {
    for (const place of ['kafka     assessment.', 'database  trading.fills'])
      expect(await killCommandAt(home, ['migrate', '--to', env.DATABASE_URL!], { env, at: place })).toContain(place)
    expect(await onTarget('assay', (ask) => ask('select 1 from trading.fills'))).toEqual([])
    const { code, output } = await moved()
    expect([code, output]).toEqual([0, expect.stringContaining('the interrupted move goes on')])
    expect(output).toContain('of the open segment: same')
    expect(await onTarget('assay', (ask) => ask(STATES))).toEqual(states as never)
    const secrets = await embedded(async () => runCommand(home, ['vault', 'status'], env))
    expect(output + secrets.output).not.toContain(env.VAULT_TOKEN!)
  }, 240_000)

  test('the folder says where it went and starts no more without its servers', async () => {
    const start = await startProcess(home, { env: { FEEDS } }).catch((error: Error) => error.message)
    for (const said of ['was moved at', 'DATABASE_URL, KAFKA_BROKERS', 'moved.json']) expect(start).toContain(said)
    expect(await moved()).toMatchObject({ code: 2, output: expect.stringContaining('was moved at') })
  }, 180_000)

  test('on the servers the same people go on with the same positions, orders, journals and keys', async () => {
    platform = await startProcess(home, { env: { ...env, FEEDS }, startMs: 120_000 })
    api = openApi(platform.url, contract)
    const again = async (who: Person): Promise<Person> => {
      const { email, password } = who
      const { token } = await api.post<Tokens>('/api/auth/login', { email, password })
      return { ...who, token, api: api.as(token), bot: api.as(who.key) }
    }
    ann = await again(ann)
    bob = await again(bob)
    let health: { status: string } = { status: '' }
    const isOk = async () => {
      health = (await api.send<typeof health>('GET', '/health')).body
      return health.status === 'ok'
    }
    await until('it has read its market log', isOk, 60_000)
    expect(health).toMatchObject({
      stores: { db: { kind: 'postgres' }, bus: { kind: 'kafka' }, secrets: { kind: 'vault' }, blobs: { kind: 's3' } },
    })
    expect(await api.get<JournalKeys>(KEYS)).toEqual(before.keys)
    for (const [who, id] of [
      [ann, open],
      [bob, failed],
    ] as const) {
      const journal = await journalOf(who, id)
      expect(journal.slice(0, before.journals.get(id)!.length)).toEqual(before.journals.get(id) as never)
    }
    const quantities = ({ items }: PositionList) => items.map(({ id, symbol, quantity }) => ({ id, symbol, quantity }))
    expect(quantities(await positionsOf(ann, open))).toEqual(quantities(before.positions))
    const order = await patiently(() => ann.bot.get<OrderResource>(`/api/assessments/${open}/orders/${working.id}`))
    expect(order).toMatchObject({ id: working.id, status: working.status, client_order_id: 'rests' })
  }, 240_000)

  test('an assessment that began before the move ends after it, and its proof verifies, as does the old one', async () => {
    await tradeUntilFailed(ann, open)
    for (const [who, id] of [
      [ann, open],
      [bob, failed],
    ] as const) {
      const proof = `${id}.proof`
      let answer = await who.bot.send<Uint8Array>('GET', `/api/assessments/${id}/proof`)
      const made = async () => {
        answer = await who.bot.send('GET', `/api/assessments/${id}/proof`)
        return answer.status === 200
      }
      await until(`the proof of ${id}`, made, 90_000)
      await Bun.write(join(home, proof), answer.body)
      const verified = await runCommand(home, ['verify', proof])
      expect([verified.code, verified.output]).toEqual([0, expect.stringContaining(`${id}: failed`)])
    }
    const trusted = trustedKeys(before.keys.keys)
    const chains = new Map([
      [open, await journalOf(ann, open)],
      [failed, await journalOf(bob, failed)],
    ])
    expect(receipts.length).toBeGreaterThan(20)
    for (const receipt of receipts) {
      expect(checkReceipt(receipt, trusted)).toBe('valid')
      expect(chains.get(receipt.assessment)![receipt.aseq]!.hash).toBe(receipt.hash)
    }
  }, 300_000)

  test('books, chains, tables and topics hold, over what was before the move and after it', async () => {
    expect((await platform.stop()).code).toBe(0)
    const isAccountEvent = (topic: string) =>
      /^(trading|assessment|rules)\./.test(topic) && !topic.endsWith('.dead-letter')
    const held = await readTopics(
      env.KAFKA_BROKERS!,
      (topic) => isAccountEvent(topic) && topic !== 'trading.account-marked',
    )
    const { findings, counted } = await onTarget('assay', async (ask) => {
      await loadEvents(ask, held)
      return auditDatabase(ask, { table: EVENTS_TABLE, order: 'n' })
    })
    expect(findings).toEqual([])
    expect(counted['journal records']).toBeGreaterThan(100)
    rmSync(join(home, 'moved.json'))
    const old = await startProcess(home, { env: { FEEDS } })
    expect((await old.stop()).code).toBe(0)
  }, 180_000)
})
