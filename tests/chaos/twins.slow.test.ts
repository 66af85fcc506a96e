import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { auditHome } from './audit.ts'
import { tradeOverHttp } from './http-run.ts'
import { seeded } from './seeded.ts'
import { planCommands } from './twin-plan.ts'
import { cutRecording, firstDifference, type Left, leftBy, RECORDING, runTwin } from './twins.ts'

setDefaultTimeout(10 * 60_000)
const HOURS = 24
const KILLS = 10
const DAY = 86_400_000

/** Standard output of a command that exits with 0. */
async function assay(...args: string[]): Promise<string> {
  const cli = new URL('../../scripts/cli.ts', import.meta.url).pathname
  const child = Bun.spawn([process.execPath, cli, ...args], { stderr: 'inherit' })
  const text = await new Response(child.stdout).text()
  expect([args[1], await child.exited]).toEqual([args[1], 0])
  return text
}

const folder = mkdtempSync(join(tmpdir(), 'assay-twins-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const recording = cutRecording(folder, HOURS)
if (!recording) console.log(`skipped: ${RECORDING} is not among the shared recordings`)

describe.skipIf(!recording)(`the first ${HOURS} recorded hours`, () => {
  const commands = join(folder, 'commands.json')
  const paths = (name: string) => ({
    home: join(folder, name),
    recording: recording!.file,
    commands,
    log: join(folder, `${name}.log`),
  })
  let whole: Left
  let wholeMs = 0

  beforeAll(async () => {
    const given = planCommands(commands, 11, recording!.prices, 4)
    const run = await runTwin({ ...paths('whole'), offsets: () => 0, killAfter: () => null })
    whole = await leftBy(join(folder, 'whole'))
    wholeMs = run.ms
    const records = whole.accounts.map(({ journal, status }) => `${journal.length} records, ${status}`)
    console.log(`${whole.events.length} events, ${given} commands in ${Math.round(wholeMs)} ms: ${records.join('; ')}`)
  })

  test('the run has fills, refusals and a verdict to differ in', () => {
    const records = whole.accounts.flatMap(({ journal }) => journal)
    const having = (text: string) => records.filter((record) => record.includes(text)).length
    expect(having('"kind":"fill"')).toBeGreaterThan(100)
    expect(having('"ok":false')).toBeGreaterThan(0)
    expect(having('"kind":"verdict"')).toBeGreaterThan(0)
    expect(having('"kind":"sealed"')).toBe(having('"kind":"verdict"'))
    const kinds = ['carry', 'checkpoint', 'day', 'lock', 'pause', 'stop_out', 'violation', 'warning']
    expect(kinds.filter((kind) => having(`"kind":"${kind}"`) === 0)).toEqual([])
    const states = ['amended', 'cancelled', 'expired', 'filled', 'triggered', 'working']
    expect(states.filter((status) => having(`"status":"${status}"`) === 0)).toEqual([])
    const types = ['market', 'limit', 'stop', 'stop_limit', 'trailing_stop', 'oco']
    expect(types.filter((type) => having(`"type":"${type}"`) === 0)).toEqual([])
    const commands = ['amend', 'cancel', 'close', 'pause', 'resume'].map((op) => `"op":"${op}"`)
    const taken = records.filter((record) => record.includes('"answer":{') && record.includes('"ok":true'))
    expect(commands.filter((op) => !taken.some((record) => record.includes(op)))).toEqual([])
    expect(whole.events.length).toBeGreaterThan(recording!.prices.length)
  })

  test('its books and tables are what its journals say', async () => {
    expect((await auditHome(join(folder, 'whole'), null)).findings).toEqual([])
  })

  test(`killed ${KILLS} times, each start on another day, it ends in the same bytes`, async () => {
    const random = seeded(Number(environment().ASSAY_CHAOS_SEED ?? 5))
    let left = KILLS
    const { kills } = await runTwin({
      ...paths('killed'),
      offsets: () => Math.floor(random() * 200) * DAY,
      killAfter: () => (left-- > 0 ? random() * (wholeMs / KILLS) * 1.5 : null),
    })
    expect(kills).toBe(KILLS)
    expect(firstDifference(whole, await leftBy(join(folder, 'killed')))).toBeNull()
  })

  test('a run over HTTP at arbitrary times repeats from the commands that its journals give', async () => {
    const { proofs, journals } = await tradeOverHttp({
      folder: join(folder, 'http'),
      recording: recording!.file,
      seed: 3,
    })
    const list = join(folder, 'list.jsonl')
    writeFileSync(list, await assay('replay', '--extract', ...proofs))
    const out = join(folder, 'repeated')
    await assay('replay', '--commands', list, '--recording', recording!.file, '--out', out)
    for (const { assessment, records } of journals) {
      expect(records.length).toBeGreaterThan(50)
      expect(readFileSync(join(out, `${assessment}.journal.jsonl`), 'utf8')).toBe(records.map((r) => `${r}\n`).join(''))
    }
  })

  test('on another day it is the same run', async () => {
    await runTwin({ ...paths('later'), offsets: () => 100 * DAY, killAfter: () => null })
    expect(firstDifference(whole, await leftBy(join(folder, 'later')))).toBeNull()
  })
})
