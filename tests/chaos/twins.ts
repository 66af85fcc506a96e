/** Runs of one command list over one recording, whole or killed, and what they have left. */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { environment } from '@assay/core/kernel/config'
import { PGlite } from '@electric-sql/pglite'
import { readLog } from './audit-log.ts'
import type { TwinSettings } from './twin.ts'

const HOUR = 3_600_000
export const RECORDING = 'xrp-eth-trades-2019-10.json.gz'
export const SYMBOL = 'XRP/ETH'
type Row = [ts: number, id: string, order: string | null, side: string, price: number, ...rest: unknown[]]

/** The shared recording of an hour range, as a file of its own, and its prices; null where it is not there. */
export function cutRecording(folder: string, hours: number): { file: string; prices: number[] } | null {
  const shared = environment().ASSAY_SHARED ?? new URL('../../../shared', import.meta.url).pathname
  let rows: Row[]
  try {
    rows = JSON.parse(gunzipSync(readFileSync(join(shared, 'data/recordings', RECORDING))).toString())
  } catch {
    return null
  }
  const end = rows[0]![0] + hours * HOUR
  const cut = rows.filter(([ts]) => ts < end)
  const file = join(folder, 'xrp-eth-trades-2019-10.json')
  writeFileSync(file, JSON.stringify(cut))
  return { file, prices: cut.map((row) => row[4]) }
}

export interface TwinRun {
  home: string
  recording: string
  commands: string
  /** wall clock offset of each start, ms */
  offsets: () => number
  /** ms after it drives; null: let it run to its end */
  killAfter: () => number | null
  log: string
}
/** Starts, kills and starts again until the run has ended. How often it was killed. */
export async function runTwin({
  home,
  recording,
  commands,
  offsets,
  killAfter,
  log,
}: TwinRun): Promise<{ kills: number; ms: number }> {
  mkdirSync(home, { recursive: true })
  for (let kills = 0; ; ) {
    const settings: TwinSettings = {
      home,
      recording,
      symbol: SYMBOL,
      commands,
      offsetMs: offsets(),
    }
    const child = spawn(process.execPath, [new URL('twin.ts', import.meta.url).pathname, JSON.stringify(settings)], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
    const driving = new Promise<void>((resolve) => {
      child.stdout.on('data', (bytes: Buffer) => {
        writeFileSync(log, bytes, { flag: 'a' })
        if (bytes.toString().includes('driving')) resolve()
      })
    })
    await Promise.race([driving, ended])
    const began = performance.now()
    const after = killAfter()
    const code = await Promise.race([ended, ...(after === null ? [] : [Bun.sleep(after).then(() => 'late' as const)])])
    if (code === 0) return { kills, ms: performance.now() - began }
    if (code !== 'late') throw new Error(`a twin ended with ${code}: see ${log}`)
    process.kill(-child.pid!, 'SIGKILL')
    await ended
    kills++
  }
}

export interface Left {
  /** of each account in its order: the hashed part of its journal, the end of its chain, the hash of its state */
  accounts: { journal: string[]; hash: string; stateHash: string; status: string }[]
  events: string[]
  /** the state after each command, where it was seen: a kill between commit and answer leaves one unseen */
  states: Map<number, string>
}
/** What a run has left, read from copies of its files. */
export async function leftBy(home: string): Promise<Left> {
  const { assessments } = JSON.parse(readFileSync(join(home, 'twin.json'), 'utf8')) as { assessments: string[] }
  const scratch = mkdtempSync(join(tmpdir(), 'assay-twin-'))
  cpSync(join(home, 'pg'), join(scratch, 'pg'), { recursive: true })
  const db = await PGlite.create(join(scratch, 'pg'))
  try {
    const accounts: Left['accounts'] = []
    for (const id of assessments) {
      const journal = await db.query<{ record: string }>(
        'select record from trading.journal where account = $1 order by aseq',
        [id],
      )
      const [row] = (
        await db.query<{ hash: string; state_hash: string; status: string }>(
          'select hash, state_hash, status from trading.account where account = $1',
          [id],
        )
      ).rows
      const { hash, state_hash, status } = row!
      accounts.push({ journal: journal.rows.map(({ record }) => record), hash, stateHash: state_hash, status })
    }
    const { events } = readLog(join(home, 'market-log/main'))
    return { accounts, events: [...events.values()].map((event) => JSON.stringify(event)), states: statesOf(home) }
  } finally {
    await db.close()
    rmSync(scratch, { recursive: true, force: true })
  }
}

function statesOf(home: string): Left['states'] {
  const states = new Map<number, string>()
  for (const line of readFileSync(join(home, 'states.jsonl'), 'utf8').split('\n').filter(Boolean)) {
    const { at, ...state } = JSON.parse(line) as { at: number }
    states.set(at, JSON.stringify(state))
  }
  return states
}

/** The first place where two runs differ, for a person; null: nowhere, to the byte. */
export function firstDifference(one: Left, other: Left): string | null {
  const compare = (place: string, a: readonly string[], b: readonly string[]): string | null => {
    for (let n = 0; n < Math.max(a.length, b.length); n++) if (a[n] !== b[n]) return `${place} ${n}:\n${a[n]}\n${b[n]}`
    return null
  }
  const apart = one.accounts.map((account, n) => {
    const twin = other.accounts[n]!
    const ends = (of: typeof account) => [of.hash, of.stateHash, of.status]
    return (
      compare(`journal ${n}, record`, account.journal, twin.journal) ??
      compare(`account ${n}, end`, ends(account), ends(twin))
    )
  })
  const state = [...other.states].find(([at, said]) => one.states.has(at) && one.states.get(at) !== said)
  return (
    compare('market log, event', one.events, other.events) ??
    apart.find((said) => said !== null) ??
    (state ? `state after command ${state[0]}:\n${one.states.get(state[0])}\n${state[1]}` : null)
  )
}
