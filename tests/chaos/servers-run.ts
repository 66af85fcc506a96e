/**
 * Each server is taken away from a platform under order load and given back; what was promised meanwhile is looked for
 * from outside. Where it stands is kept in a file after every pair: called again on the same folder it goes on.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { orderPlaced } from '@assay/core/contracts/topics/trading'
import { environment } from '@assay/core/kernel/config'
import type { Finding } from '../../scripts/audit/finding.ts'
import type { ServerName } from '../../scripts/stack/server.ts'
import { type Ack, readAcks } from './acks.ts'
import { auditServers } from './audit-servers.ts'
import { countEffects, type Deliveries, type EffectSettings, makeEffectTables, readDeliveries } from './effect.ts'
import { type Keeper, keepers } from './keepers.ts'
import type { LoadSettings } from './load.ts'
import { ask, type Person, signUp } from './people.ts'
import { freePort, OPERATOR, type Platform, startPlatform } from './platform.ts'
import { begin, type Fault, type Servers, startServers } from './servers.ts'

export interface Pair {
  server: ServerName
  fault: Fault
}
export interface PairResult extends Pair {
  /** what /health said of it while it was away, the first time, after so many ms; null: nothing */
  said: string | null
  saidAfterMs: number
  /** answers of /health that took longer than it may, or failed */
  unanswered: number
  /** orders acknowledged while it was away, without the first second */
  during: number
  /** what a login got while it was away */
  login: number | null
  /** from its return until /health was ok and orders were acknowledged again */
  backAfterMs: number
  /** deliveries of the pair that the inbox knew */
  repeats: number
  findings: Finding[]
}
export interface ServersPlan {
  folder: string
  seed: number
  pairs: readonly Pair[]
  awayMs: number
  ordersPerS: number
  say: (line: string) => void
  signal?: AbortSignal
}
export interface ServersResult {
  done: PairResult[]
  /** of the end, when everything had come to rest */
  findings: Finding[]
  counted: Record<string, number>
  deliveries: Deliveries
  effects: number
  acknowledged: number
}

const READY_MS = 120_000
/** Longer than any server needs on a loaded machine to come up and every client to find it. */
const BACK_MS = 60_000
const REST_MS = 60_000
const HEALTH_MS = 3_000
const LOOK_MS = 200
const MOST_OPEN = 40
const RETRY_MS = 500
const GROUP = 'chaos.effect'
const nameOf = ({ server, fault }: Pair) => `${server} ${fault}`

export async function runServers(plan: ServersPlan): Promise<ServersResult> {
  mkdirSync(plan.folder, { recursive: true })
  const servers = await startServers(join(plan.folder, 'servers'))
  const run = new ServersRun(plan, servers)
  try {
    await run.start()
    return await run.toEnd()
  } finally {
    await run.close()
    await servers.close()
  }
}

interface Progress {
  people: Person[]
  /** how often the run was begun: names the orders of each */
  session: number
  done: PairResult[]
}

class ServersRun {
  private platform!: Platform
  private consumer!: ChildProcess
  private client!: ChildProcess
  private progress!: Progress
  private watched: readonly Keeper[] = []

  constructor(
    private readonly plan: ServersPlan,
    private readonly servers: Servers,
  ) {}

  async start(): Promise<void> {
    const { servers } = this
    const port = await freePort()
    this.platform = startPlatform({
      home: this.file('home'),
      port,
      log: this.file('platform.log'),
      env: { ...servers.env },
    })
    if (!(await this.platform.ready(READY_MS))) throw new Error(`it does not start: see ${this.file('platform.log')}`)
    this.progress = await this.begin()
    this.keep()
    await makeEffectTables(servers.direct.database)
    this.consumer = this.startConsumer()
    this.client = this.startClient(port)
    this.watched = await keepers(servers)
    await this.flowing()
  }

  async toEnd(): Promise<ServersResult> {
    const { plan, progress } = this
    for (const pair of plan.pairs) {
      if (plan.signal?.aborted) break
      if (progress.done.some((one) => nameOf(one) === nameOf(pair))) continue
      const result = await this.away(pair)
      progress.done.push(result)
      this.keep()
      plan.say(lineOf(result))
      for (const { rule, place, said } of result.findings) plan.say(`BROKEN  ${rule}: ${place} ${said}`)
    }
    return this.settle()
  }

  async close(): Promise<void> {
    for (const child of [this.client, this.consumer]) child?.kill('SIGKILL')
    await Promise.all(this.watched.map((keeper) => keeper.close()))
    await this.platform?.signal('SIGKILL')
  }

  private async away(pair: Pair): Promise<PairResult> {
    const before = readDeliveries(this.file('deliveries')).repeats
    const findings: Finding[] = []
    const from = performance.now()
    const end = await begin(this.servers.of[pair.server], pair.fault)
    const seen = { said: null as string | null, saidAfterMs: 0, unanswered: 0, login: null as number | null }
    const afterASecond = { acks: -1 }
    const loggingIn = this.logIn()
    while (performance.now() - from < this.plan.awayMs) {
      if (afterASecond.acks < 0 && performance.now() - from > 1_000) afterASecond.acks = this.acks().length
      const said = await this.health()
      if (!said) seen.unanswered++
      const reason = said?.degraded.find((line) => SAID[pair.server].test(line))
      if (reason !== undefined && seen.said === null) {
        seen.said = reason
        seen.saidAfterMs = Math.round(performance.now() - from)
      }
      await Bun.sleep(LOOK_MS)
    }
    const during = this.acks().length - afterASecond.acks
    await end()
    seen.login = await loggingIn
    const returned = performance.now()
    const wanting = await this.recovered(returned)
    if (wanting !== null) findings.push({ rule: 'it recovers by itself', place: nameOf(pair), said: wanting })
    const backAfterMs = Math.round(performance.now() - returned)
    findings.push(...(await this.audit(false)).findings)
    const repeats = readDeliveries(this.file('deliveries')).repeats - before
    return { ...pair, ...seen, during, backAfterMs, repeats, findings }
  }

  /** /health is ok, orders are acknowledged, the keepers keep, and the consumer's effects go on. Null, or what is not so. */
  private async recovered(from: number): Promise<string | null> {
    const acks = this.acks().length
    const kept = this.watched.map((keeper) => keeper.kept())
    const deliveries = readDeliveries(this.file('deliveries')).all
    for (;;) {
      const health = await this.health()
      const wanting = [
        health?.status !== 'ok' && `/health says ${health?.status} ${health?.degraded}`,
        this.acks().length <= acks + 10 && 'no orders',
        readDeliveries(this.file('deliveries')).all <= deliveries + 5 && 'no effects',
        ...this.watched.map((keeper, n) => keeper.kept() === kept[n] && `no ${keeper.name}`),
      ].filter((reason) => reason !== false)
      if (wanting.length === 0) return null
      if (this.platform.hasEnded()) return 'its process has ended'
      if (performance.now() - from > BACK_MS) return `after ${BACK_MS} ms: ${wanting.join(', ')}`
      await Bun.sleep(LOOK_MS / 2)
    }
  }

  private async health(): Promise<{ status: string; degraded: string[] } | null> {
    const answer = await fetch(`${this.platform.url}/health`, { signal: AbortSignal.timeout(HEALTH_MS) }).catch(
      () => null,
    )
    return answer && (await answer.json().catch(() => null))
  }
  private async logIn(): Promise<number | null> {
    await Bun.sleep(this.plan.awayMs / 3)
    return fetch(`${this.platform.url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(OPERATOR),
      signal: AbortSignal.timeout(this.plan.awayMs),
    }).then(
      ({ status }) => status,
      () => null,
    )
  }

  /** Everything is answered, published and consumed: then what is there is what was promised. */
  private async settle(): Promise<ServersResult> {
    const findings: Finding[] = []
    const late = (what: string) => findings.push({ rule: what, place: 'at rest', said: `not within ${REST_MS} ms` })
    const ended = new Promise<boolean>((resolve) => this.client.once('exit', () => resolve(true)))
    this.client.kill('SIGTERM')
    if (!(await Promise.race([ended, Bun.sleep(REST_MS).then(() => false)]))) late('every order is answered')
    let audited = await this.audit(true)
    let effects = await countEffects(this.servers.direct.database, GROUP)
    const due = () => audited.counted['orders told'] ?? 0
    for (
      const end = performance.now() + REST_MS;
      (audited.counted['outbox rows'] !== 0 || effects.events !== due()) && performance.now() < end;
    ) {
      await Bun.sleep(500)
      effects = await countEffects(this.servers.direct.database, GROUP)
      audited = await this.audit(true)
    }
    if (audited.counted['outbox rows'] !== 0) late('the outbox empties')
    if (effects.events !== due())
      findings.push({
        rule: 'every event has its effect',
        place: 'chaos.posting',
        said: `${effects.events} of ${due()}`,
      })
    for (const keeper of this.watched) findings.push(...(await keeper.check()))
    return {
      done: this.progress.done,
      findings: [...findings, ...audited.findings],
      counted: audited.counted,
      deliveries: readDeliveries(this.file('deliveries')),
      effects: effects.events,
      acknowledged: this.acks().length,
    }
  }

  /** Acknowledgements first: what they promise is in the snapshot. */
  private async audit(withTopics: boolean) {
    const acks = this.acks()
    const { direct } = this.servers
    const audited = await auditServers({ direct, acks, withTopics, url: this.platform.url })
    const { findings } = await countEffects(direct.database, GROUP)
    return { ...audited, findings: [...audited.findings, ...findings] }
  }

  private async begin(): Promise<Progress> {
    const file = this.file('progress.json')
    if (existsSync(file)) {
      const progress = JSON.parse(readFileSync(file, 'utf8')) as Progress
      return { ...progress, session: progress.session + 1 }
    }
    await ask(this.platform.url, '/health')
    const people = await signUp(this.platform.url, [
      ['trader', 6],
      ['holder', 2],
      ['burner', 1],
    ])
    return { people, session: 1, done: [] }
  }
  private startConsumer(): ChildProcess {
    const settings: EffectSettings = {
      env: { ...this.servers.env, ASSAY_HOME: this.file('home') },
      topic: orderPlaced.name,
      group: GROUP,
      deliveries: this.file('deliveries'),
    }
    return this.child('effect-consumer.ts', settings)
  }
  private startClient(port: number): ChildProcess {
    const { plan, progress } = this
    const settings: LoadSettings = {
      url: `http://127.0.0.1:${port}`,
      people: progress.people,
      acks: this.file('acks.jsonl'),
      report: this.file('load.json'),
      ordersPerS: plan.ordersPerS,
      seed: plan.seed + progress.session,
      prefix: `s${progress.session}-`,
      // a crowd that sends again at once would keep a platform from coming back that is well
      mostOpen: MOST_OPEN,
      retryMs: RETRY_MS,
    }
    return this.child('load.ts', settings)
  }
  private child(script: string, settings: object): ChildProcess {
    return spawn(process.execPath, [new URL(script, import.meta.url).pathname, JSON.stringify(settings)], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: environment().PATH, HOME: environment().HOME },
    })
  }
  /** Orders are acknowledged, and the consumer has events of this session. */
  private async flowing(): Promise<void> {
    const end = performance.now() + READY_MS
    const [acks, deliveries] = [this.acks().length, readDeliveries(this.file('deliveries')).all]
    while (this.acks().length <= acks + 10 || readDeliveries(this.file('deliveries')).all <= deliveries) {
      if (performance.now() > end) throw new Error(`no orders are acknowledged and told: see ${this.plan.folder}`)
      await Bun.sleep(LOOK_MS)
    }
  }
  private acks(): Ack[] {
    const file = this.file('acks.jsonl')
    return existsSync(file) ? readAcks(file) : []
  }
  private keep(): void {
    const file = this.file('progress.json')
    writeFileSync(`${file}.new`, JSON.stringify(this.progress))
    renameSync(`${file}.new`, file)
  }
  private file(name: string): string {
    return join(this.plan.folder, name)
  }
}

/** What /health says when a server is away. */
const SAID: Readonly<Record<ServerName, RegExp>> = {
  postgres: /^db: /,
  kafka: /^bus: kafka is away/,
  redis: /^cache: redis is away/,
  openbao: /^secrets: vault is away/,
  versitygw: /^blobs: s3 is away/,
}

const lineOf = (one: PairResult): string =>
  [
    nameOf(one).padEnd(20),
    one.said === null ? 'not said' : `said after ${one.saidAfterMs} ms`,
    `${one.during} orders meanwhile`,
    `login ${one.login}`,
    `back after ${one.backAfterMs} ms`,
    `${one.repeats} repeats`,
    `${one.findings.length} findings`,
  ].join(', ')
