import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { describeReal } from '@assay/core/testing/adapters'
import type { ServerName } from '../../scripts/stack/server.ts'
import type { Fault } from './servers.ts'
import { type Pair, type PairResult, runServers, type ServersResult } from './servers-run.ts'

const FAULTS: Readonly<Record<ServerName, readonly Fault[]>> = {
  postgres: ['killed', 'stopped', 'deaf'],
  kafka: ['killed', 'stopped', 'deaf'],
  redis: ['killed', 'delayed'],
  openbao: ['killed', 'cut'],
  versitygw: ['stopped', 'reset'],
}
const PAIRS: readonly Pair[] = (Object.keys(FAULTS) as ServerName[]).flatMap((server) =>
  FAULTS[server].map((fault) => ({ server, fault })),
)
/** As docs/degradation.md says: who trades does not notice. */
const TRADING_GOES_ON: readonly ServerName[] = ['kafka', 'redis', 'openbao', 'versitygw']
/** Nobody's password is checked while these are away. */
const NO_LOGIN: readonly ServerName[] = ['postgres', 'redis']
const LONG = 20 * 60_000

describeReal('a server away for 10 s under order load', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-servers-'))
  let result: ServersResult
  beforeAll(async () => {
    const seed = Number(environment().ASSAY_CHAOS_SEED ?? Date.now() % 1_000_000)
    console.log(`seed ${seed} (ASSAY_CHAOS_SEED=${seed} asks for it again), ${folder}`)
    result = await runServers({ folder, seed, pairs: PAIRS, awayMs: 10_000, ordersPerS: 15, say: console.log })
    const { acknowledged, effects, deliveries } = result
    console.log(
      `${acknowledged} acknowledged; ${effects} events with an effect, delivered ${deliveries.all} times, ${deliveries.repeats} of them repeats`,
    )
  }, LONG)
  afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000)
  const of = ({ server, fault }: Pair): PairResult =>
    result.done.find((one) => one.server === server && one.fault === fault)!

  test.each(PAIRS.map((pair) => [`${pair.server} ${pair.fault}`, pair] as const))(
    '%s: /health says so, it recovers by itself, nothing acknowledged is lost, nothing happens twice',
    (_, pair) => {
      const { said, unanswered, during, login, findings } = of(pair)
      expect(findings).toEqual([])
      expect(said).not.toBeNull()
      expect(unanswered).toBe(0)
      if (TRADING_GOES_ON.includes(pair.server)) expect(during).toBeGreaterThan(10)
      // one who waits for a database that stands still may be answered when it goes on
      if (pair.server !== 'postgres' || pair.fault === 'killed')
        expect(login).toBe(NO_LOGIN.includes(pair.server) ? 503 : 200)
    },
  )
  test('at rest every order is answered, every event published and consumed, each with one effect', () => {
    expect(result.findings).toEqual([])
    expect(result.counted['outbox rows']).toBe(0)
    expect(result.effects).toBe(result.counted['orders told']!)
    expect(result.effects).toBeGreaterThan(500)
    expect(result.acknowledged).toBeGreaterThan(1_000)
  })
  test('events whose acknowledgement was lost were delivered again, and known', () => {
    const lost = FAULTS.postgres.map((fault) => of({ server: 'postgres', fault }).repeats)
    expect(lost.reduce((sum, repeats) => sum + repeats, 0)).toBeGreaterThan(0)
    expect(result.deliveries.all).toBeGreaterThan(result.effects)
  })
})
