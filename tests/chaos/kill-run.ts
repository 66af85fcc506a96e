/**
 * Kills a platform under load again and again and checks it against what an outside client was promised. Where it
 * stands is kept in a file after every kill: called again on the same folder it goes on.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Audited, Finding } from '../../scripts/audit/finding.ts'
import type { LoadReport, LoadSettings } from './load.ts'
import { type Person, signUp } from './people.ts'
import { freePort, type Platform, startPlatform } from './platform.ts'
import { seeded } from './seeded.ts'

/** Where a kill can be made to land. */
export const POINTS = ['before-commit', 'after-commit-before-answer', 'between-relay-and-mark', 'inside-save'] as const
export type Point = (typeof POINTS)[number]

export interface KillPlan {
  folder: string
  seed: number
  /** at uniformly random times, those during recovery included */
  kills: number
  /** of them before the platform was ready again */
  inRecovery: number
  /** further ones that are made to land in each failpoint */
  perPoint: number
  checkEvery: number
  ordersPerS: number
  say: (line: string) => void
  signal?: AbortSignal
}
export interface KillResult {
  kills: number
  inRecovery: number
  landed: Record<Point, number>
  checks: number
  findings: Finding[]
  counted: Record<string, number>
  /** ms from start to ready after a kill, sorted */
  recoveryMs: number[]
  load: Pick<LoadReport, 'seconds' | 'asked' | 'sent' | 'acknowledged' | 'replayed'>
}
interface Progress extends KillResult {
  port: number
  people: Person[]
  /** how many times the run was begun: names the orders of each */
  session: number
}
/** A kill comes at most this long after the start. */
const LONGEST_MS = 6_000
const READY_MS = 30_000
const ENTERED_MS = 60_000
/** A pause at a failpoint is this long: the kill comes somewhere in it. */
const PAUSE_MS = 120
const POLL_MS = 4

export async function runKills(plan: KillPlan): Promise<KillResult> {
  mkdirSync(plan.folder, { recursive: true })
  const run = new KillRun(plan, await begin(plan))
  return run.toEnd()
}

const fileOf = (plan: KillPlan, name: string): string => join(plan.folder, name)
async function begin(plan: KillPlan): Promise<Progress> {
  const file = fileOf(plan, 'progress.json')
  if (existsSync(file)) {
    const progress = JSON.parse(readFileSync(file, 'utf8')) as Progress
    return { ...progress, session: progress.session + 1 }
  }
  const port = await freePort()
  const platform = startPlatform({ home: fileOf(plan, 'home'), port, log: fileOf(plan, 'platform.log') })
  if (!(await platform.ready(READY_MS))) throw new Error(`the platform does not start: see ${plan.folder}/platform.log`)
  const people = await signUp(platform.url, [
    ['trader', 8],
    ['holder', 4],
    ['burner', 2],
  ])
  await platform.signal('SIGTERM')
  const landed = Object.fromEntries(POINTS.map((point) => [point, 0])) as Record<Point, number>
  const load = { seconds: 0, asked: 0, sent: 0, acknowledged: 0, replayed: 0 }
  return {
    port,
    people,
    session: 1,
    kills: 0,
    inRecovery: 0,
    landed,
    checks: 0,
    findings: [],
    counted: {},
    recoveryMs: [],
    load,
  }
}

class KillRun {
  private readonly random: () => number
  private recoveryMs = 1_500

  constructor(
    private readonly plan: KillPlan,
    private readonly done: Progress,
  ) {
    this.random = seeded(plan.seed + done.session * 7919 + done.kills)
  }

  async toEnd(): Promise<KillResult> {
    const { plan, done } = this
    const client = this.startClient()
    const before = { ...done.load }
    try {
      while (!this.isDone() && done.findings.length === 0 && !plan.signal?.aborted) {
        const point = POINTS.find((p) => done.landed[p] < plan.perPoint && done.landed[p] <= done.kills / 12)
        if (point) await this.killAt(point)
        else await this.killAnytime()
        this.addLoad(before)
        if (this.killed % plan.checkEvery === 0) await this.check()
        this.keep()
      }
      if (!plan.signal?.aborted) await this.settle(client)
    } finally {
      client.kill('SIGKILL')
    }
    this.addLoad(before)
    this.keep()
    return done
  }
  private get killed(): number {
    return this.done.kills + POINTS.reduce((sum, p) => sum + this.done.landed[p], 0)
  }
  private isDone(): boolean {
    const { plan, done } = this
    return (
      done.kills >= plan.kills &&
      done.inRecovery >= plan.inRecovery &&
      POINTS.every((p) => done.landed[p] >= plan.perPoint)
    )
  }

  /** At a uniformly random time; where recovery has not had its share, before the time it usually takes. */
  private async killAnytime(): Promise<void> {
    const { plan, done } = this
    const wanted = done.inRecovery / plan.inRecovery <= done.kills / plan.kills
    const longest = wanted ? this.recoveryMs : LONGEST_MS
    const platform = this.start()
    const after = this.random() * longest
    const state = { ready: false, readyMs: 0 }
    const began = performance.now()
    void platform.ready(after).then((ready) => {
      state.ready = ready
      state.readyMs = performance.now() - began
    })
    const early = await Promise.race([platform.ended, Bun.sleep(after).then(() => null)])
    if (early !== null) throw new Error(`the platform ended by itself with ${early}: see ${plan.folder}/platform.log`)
    await platform.signal('SIGKILL')
    done.kills++
    if (state.ready) this.recovered(state.readyMs)
    else done.inRecovery++
    const where = state.ready ? `${Math.round(after - state.readyMs)} ms after it was ready` : 'during recovery'
    plan.say(`kill ${this.killed}: after ${Math.round(after)} ms, ${where}`)
  }
  private recovered(ms: number): void {
    this.done.recoveryMs.push(Math.round(ms))
    this.recoveryMs = Math.max(200, ms)
  }

  /** Somewhere inside the pause of a point that was just entered; counts when the note shows that it was not left. */
  private async killAt(point: Point): Promise<void> {
    const { plan, done } = this
    const notes = fileOf(plan, 'failpoint')
    rmSync(notes, { force: true })
    const platform = this.start({ ASSAY_FAILPOINTS: `${notes}:${PAUSE_MS}:${point}` })
    const entries = 1 + Math.floor(this.random() * 4)
    const read = () => (existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : [])
    const entered = () => read().filter((line) => line === `+${point}`).length
    const deadline = performance.now() + ENTERED_MS
    while (entered() < entries && performance.now() < deadline && !platform.hasEnded()) await Bun.sleep(POLL_MS)
    await Bun.sleep(this.random() * PAUSE_MS * 0.6)
    await platform.signal('SIGKILL')
    if (entered() < entries)
      throw new Error(`${point} was not entered ${entries} times: see ${plan.folder}/platform.log`)
    const landed = read().at(-1) === `+${point}`
    if (landed) done.landed[point]++
    plan.say(`kill ${this.killed}: at ${point}, entry ${entries}, ${landed ? 'landed inside' : 'it had been left'}`)
  }

  private start(env?: Record<string, string>): Platform {
    const { plan, done } = this
    return startPlatform({
      home: fileOf(plan, 'home'),
      port: done.port,
      log: fileOf(plan, 'platform.log'),
      ...(env ? { env } : {}),
    })
  }
  private startClient() {
    const { plan, done } = this
    const settings: LoadSettings = {
      url: `http://127.0.0.1:${done.port}`,
      people: done.people,
      acks: fileOf(plan, 'acks.jsonl'),
      report: fileOf(plan, 'load.json'),
      ordersPerS: plan.ordersPerS,
      seed: plan.seed + done.session,
      prefix: `s${done.session}-`,
    }
    rmSync(settings.report, { force: true })
    return spawn(process.execPath, [new URL('load.ts', import.meta.url).pathname, JSON.stringify(settings)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }

  /** Everything is answered, everything published: then the last check, with an empty outbox. */
  private async settle(client: ReturnType<typeof spawn>): Promise<void> {
    const { plan, done } = this
    const platform = this.start()
    if (!(await platform.ready(READY_MS))) throw new Error(`no recovery: see ${plan.folder}/platform.log`)
    const ended = new Promise((resolve) => client.once('exit', resolve))
    client.kill('SIGTERM')
    const late = await Promise.race([ended.then(() => false), Bun.sleep(READY_MS).then(() => true)])
    if (late)
      done.findings.push({
        rule: 'every order is answered in the end',
        place: 'client',
        said: `not within ${READY_MS} ms`,
      })
    const code = await platform.signal('SIGTERM')
    if (code !== 0)
      done.findings.push({ rule: 'a stop after it all exits with 0', place: 'platform', said: String(code) })
    await this.check()
    for (let n = 0; n < 3 && done.counted['outbox rows'] !== 0; n++) {
      const again = this.start()
      await again.ready(READY_MS)
      await again.signal('SIGTERM')
      await this.check()
    }
    if (done.counted['outbox rows'] !== 0)
      done.findings.push({
        rule: 'the outbox empties',
        place: 'bus.outbox',
        said: `${done.counted['outbox rows']} rows`,
      })
  }

  private async check(): Promise<void> {
    const { plan, done } = this
    const audited = await auditElsewhere(fileOf(plan, 'home'), fileOf(plan, 'acks.jsonl'))
    done.checks++
    done.counted = audited.counted
    done.findings.push(...audited.findings)
    const counted = Object.entries(audited.counted).map(([name, n]) => `${n} ${name}`)
    plan.say(`check ${done.checks}: ${audited.findings.length} findings in ${counted.join(', ')}`)
  }
  /** This session's client on top of those before it. */
  private addLoad(before: KillResult['load']): void {
    const file = fileOf(this.plan, 'load.json')
    if (!existsSync(file)) return
    const now = JSON.parse(readFileSync(file, 'utf8')) as LoadReport
    for (const name of Object.keys(before) as (keyof typeof before)[]) this.done.load[name] = before[name] + now[name]
  }
  private keep(): void {
    const file = fileOf(this.plan, 'progress.json')
    writeFileSync(`${file}.new`, JSON.stringify(this.done))
    renameSync(`${file}.new`, file)
  }
}

/** The full check in a process of its own. */
export async function auditElsewhere(home: string, acks: string): Promise<Audited> {
  const child = Bun.spawn([process.execPath, new URL('audit.ts', import.meta.url).pathname, home, acks], {
    stderr: 'inherit',
  })
  const text = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) throw new Error(`the check failed on ${home}`)
  return JSON.parse(text.trim().split('\n').at(-1)!) as Audited
}
