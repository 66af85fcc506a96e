/**
 * The kill test at length and the twins over the whole recording. `chaos.kills`: 1,000 kills -9 at random times under
 * load, a fifth of them during recovery, checked every tenth time; goes on where it was stopped (out/chaos, delete it to
 * begin again). `chaos.lost`: findings of the check: acknowledged and lost, done twice, not balanced, out of order.
 * Then every server with every fault under orders, and 100 consumers killed, resumable too.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runKills } from '../tests/chaos/kill-run.ts'
import { seeded } from '../tests/chaos/seeded.ts'
import { planCommands } from '../tests/chaos/twin-plan.ts'
import { cutRecording, firstDifference, leftBy, runTwin } from '../tests/chaos/twins.ts'
import { consumersKilled, serversAway } from './chaos/servers.ts'
import { type Figure, figureOf, median } from './figure.ts'

export const summary =
  '1,000 kills under load (over an hour; Ctrl-C, and the next call goes on), every server away in every way, 100 consumers killed, twins over a whole recording'
/** Left out of `./assay bench` without a name. */
export const byNameOnly = true

const ROOT = new URL('..', import.meta.url).pathname

export interface ChaosOptions {
  kills?: number
  folder?: string
  twinKills?: number
  consumerKills?: number
  say?: (line: string) => void
}

export async function run({
  kills = 1_000,
  folder = join(ROOT, 'out/chaos'),
  twinKills = 40,
  consumerKills = 100,
  say = (line) => console.error(line),
}: ChaosOptions = {}): Promise<Figure[]> {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  const { signal } = stop
  const parts = [
    () => killed({ kills, folder, say }, signal),
    () => serversAway({ folder, say }, signal),
    () => consumersKilled({ folder, consumerKills, say }, signal),
    () => twins(folder, twinKills, say),
  ]
  const figures: Figure[] = []
  for (const part of parts) if (!signal.aborted) figures.push(...(await part()))
  if (signal.aborted) say('stopped; the next call goes on from here')
  return figures
}

async function killed(
  { kills, folder, say }: Required<Pick<ChaosOptions, 'kills' | 'folder' | 'say'>>,
  signal: AbortSignal,
): Promise<Figure[]> {
  const result = await runKills({
    folder: join(folder, `kills-${kills}`),
    seed: 1,
    kills,
    inRecovery: Math.round(kills / 5),
    perPoint: Math.max(3, Math.round(kills / 50)),
    checkEvery: 10,
    ordersPerS: 80,
    say,
    signal,
  })
  for (const { rule, place, said } of result.findings) say(`BROKEN  ${rule}: ${place} ${said}`)
  const figure = (name: string, unit: string, better: 'higher' | 'lower', ours: number, samples: number) =>
    figureOf({ figure: `chaos.${name}`, unit, better, ours, samples })
  const { load, recoveryMs } = result
  return [
    figure('kills', 'kills', 'higher', result.kills, result.checks),
    figure('kills_in_recovery', 'kills', 'higher', result.inRecovery, result.checks),
    figure('lost', 'findings', 'lower', result.findings.length, load.acknowledged),
    figure('acknowledged', 'orders', 'higher', load.acknowledged, load.acknowledged),
    figure('load', 'orders/s', 'higher', load.asked / load.seconds, load.asked),
    figure('ready_again', 'ms', 'lower', recoveryMs.length > 0 ? median(recoveryMs) : 0, recoveryMs.length),
  ]
}

/** The whole recording, once uninterrupted and once killed, to the byte. */
async function twins(parent: string, kills: number, say: (line: string) => void): Promise<Figure[]> {
  const folder = join(parent, 'twins')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const recording = cutRecording(folder, Number.POSITIVE_INFINITY)
  if (!recording) {
    say('twins: skipped, the shared recording is not there')
    return []
  }
  const commands = join(folder, 'commands.json')
  planCommands(commands, 1, recording.prices, 4)
  const paths = (name: string) => ({
    home: join(folder, name),
    recording: recording.file,
    commands,
    log: join(folder, `${name}.log`),
  })
  const whole = await runTwin({ ...paths('whole'), offsets: () => 0, killAfter: () => null })
  const expected = await leftBy(join(folder, 'whole'))
  say(`twins: ${expected.events.length} events in ${Math.round(whole.ms)} ms`)
  const random = seeded(1)
  let left = kills
  const shortest = await runTwin({
    ...paths('killed'),
    offsets: () => 0,
    killAfter: () => (left-- > 0 ? (random() * whole.ms * 2) / kills : null),
  })
  const apart = firstDifference(expected, await leftBy(join(folder, 'killed')))
  if (apart) say(`twins: they differ: ${apart}`)
  const records = expected.accounts.reduce((sum, { journal }) => sum + journal.length, 0)
  return [
    figureOf({
      figure: 'chaos.twins_apart',
      unit: 'bytes differ',
      better: 'lower',
      ours: apart ? 1 : 0,
      samples: records,
    }),
    figureOf({ figure: 'chaos.twin_kills', unit: 'kills', better: 'higher', ours: shortest.kills, samples: records }),
  ]
}
