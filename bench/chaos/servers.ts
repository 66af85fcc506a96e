import { join } from 'node:path'
import { SERVER_NAMES } from '../../scripts/stack/server.ts'
import { runConsumerKills } from '../../tests/chaos/consumer-kills.ts'
import { FAULTS } from '../../tests/chaos/servers.ts'
import { type Pair, runServers } from '../../tests/chaos/servers-run.ts'
import { type Figure, figureOf, median } from '../figure.ts'

export interface ServersOptions {
  folder: string
  pairs?: readonly Pair[]
  consumerKills: number
  say: (line: string) => void
}
/** Every server with every fault. */
export const PAIRS: readonly Pair[] = SERVER_NAMES.flatMap((server) => FAULTS.map((fault) => ({ server, fault })))
const AWAY_MS = 10_000

const figure = (name: string, unit: string, better: 'higher' | 'lower', ours: number, samples: number) =>
  figureOf({ figure: `chaos.${name}`, unit, better, ours, samples })

/** Each server away and back under order load; goes on where it was stopped. */
export async function serversAway(
  { folder, pairs = PAIRS, say }: Omit<ServersOptions, 'consumerKills'>,
  signal: AbortSignal,
): Promise<Figure[]> {
  const { done, findings, effects, deliveries, acknowledged } = await runServers({
    folder: join(folder, 'servers'),
    seed: 1,
    pairs,
    awayMs: AWAY_MS,
    ordersPerS: 20,
    say,
    signal,
  })
  for (const { rule, place, said } of findings) say(`BROKEN  ${rule}: ${place} ${said}`)
  const broken = [...findings, ...done.flatMap((pair) => pair.findings)].length
  const back = done.map(({ backAfterMs }) => backAfterMs)
  const unsaid = done.filter(({ said }) => said === null).length
  return [
    figure('server_pairs', 'pairs', 'higher', done.length, pairs.length),
    figure('server_lost', 'findings', 'lower', broken, acknowledged),
    figure('server_unsaid', 'pairs not in /health', 'lower', unsaid, done.length),
    figure('server_repeats', 'repeats at the inbox', 'higher', deliveries.repeats, effects),
    figure('server_back', 'ms', 'lower', done.length > 0 ? median(back) : 0, done.length),
  ]
}

/** Consumers killed in the middle of their work; goes on where it was stopped. */
export async function consumersKilled(
  { folder, consumerKills, say }: ServersOptions,
  signal: AbortSignal,
): Promise<Figure[]> {
  const { kills, effects, repeats, findings } = await runConsumerKills({
    folder: join(folder, 'consumers'),
    seed: 1,
    kills: consumerKills,
    say,
    signal,
  })
  for (const { rule, place, said } of findings) say(`BROKEN  ${rule}: ${place} ${said}`)
  return [
    figure('consumer_kills', 'kills', 'higher', kills, kills),
    figure('consumer_lost', 'findings', 'lower', findings.length, effects),
    figure('consumer_repeats', 'repeats at the inbox', 'higher', repeats, effects),
  ]
}
