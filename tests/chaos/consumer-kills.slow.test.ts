import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { describeReal } from '@assay/core/testing/adapters'
import { runConsumerKills } from './consumer-kills.ts'

describeReal('consumers killed 20 times in the middle of their work', () => {
  test('every event has one effect, however often it was delivered', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'assay-consumers-'))
    const seed = Number(environment().ASSAY_CHAOS_SEED ?? Date.now() % 1_000_000)
    console.log(`seed ${seed} (ASSAY_CHAOS_SEED=${seed} asks for it again), ${folder}`)
    const { kills, events, effects, repeats, findings } = await runConsumerKills({
      folder,
      seed,
      kills: 20,
      say: console.log,
    })
    console.log(`${kills} kills, ${events} events, ${effects} effects in 4 groups, ${repeats} repeats at the inbox`)
    expect(findings).toEqual([])
    expect(kills).toBeGreaterThanOrEqual(20)
    expect(effects).toBe(4 * events)
    expect(repeats).toBeGreaterThan(0)
    rmSync(folder, { recursive: true, force: true })
  }, 1_200_000)
})
