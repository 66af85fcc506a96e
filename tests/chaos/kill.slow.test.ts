import { expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { POINTS, runKills } from './kill-run.ts'

setDefaultTimeout(15 * 60_000)

test('60 kills at random times, 20 of them during recovery: nothing acknowledged is lost, nothing happens twice', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-kill-'))
  const seed = Number(environment().ASSAY_CHAOS_SEED ?? Date.now() % 1_000_000)
  console.log(`seed ${seed} (ASSAY_CHAOS_SEED=${seed} asks for it again), ${folder}`)
  const result = await runKills({
    folder,
    seed,
    kills: 60,
    inRecovery: 20,
    perPoint: 3,
    checkEvery: 10,
    ordersPerS: 110,
    say: console.log,
  })
  const { load, landed, recoveryMs } = result
  const medianMs = recoveryMs.toSorted((a, b) => a - b)[recoveryMs.length >> 1]
  const points = POINTS.map((point) => `${landed[point]} at ${point}`).join(', ')
  console.log(`${result.kills} kills at random times, ${result.inRecovery} of them during recovery; ${points}`)
  console.log(
    `${(load.asked / load.seconds).toFixed(1)} orders/s asked: ${load.asked}, sent ${load.sent} times, ${load.acknowledged} acknowledged, ${load.replayed} as a repeat`,
  )
  console.log(`ready again after ${medianMs} ms (median)`)
  expect(result.findings).toEqual([])
  expect(result.kills).toBeGreaterThanOrEqual(60)
  expect(result.inRecovery).toBeGreaterThanOrEqual(20)
  for (const point of POINTS) expect([point, landed[point]]).toEqual([point, 3])
  expect(load.asked / load.seconds).toBeGreaterThanOrEqual(50)
  expect(load.acknowledged).toBeGreaterThan(1_000)
  expect(result.counted['outbox rows']).toBe(0)
  rmSync(folder, { recursive: true, force: true })
})
