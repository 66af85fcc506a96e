import { expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPlatform } from '@assay/core/kernel/run'
import type { Clock } from '@assay/core/ports/clock/port'
import { systemClock } from '@assay/core/ports/clock/system'
import { until } from '@assay/core/testing/until'
import { services } from '@assay/services/all'
import { readLog } from './audit-log.ts'
import { auditElsewhere } from './kill-run.ts'
import { ask, buy, keyFor, logIn } from './people.ts'
import { OPERATOR } from './platform.ts'

setDefaultTimeout(60_000)
const DAY = 86_400_000

test('a wall clock that jumps: ahead is a gap and the days in between, back is a market time that stands', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-clock-'))
  const home = join(folder, 'home')
  let offset = 0
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + offset }
  const env = {
    ASSAY_HOME: home,
    FEEDS: 'sim',
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'error',
    ASSAY_OPERATOR_EMAIL: OPERATOR.email,
    ASSAY_OPERATOR_PASSWORD: OPERATOR.password,
    RATE_LIMIT_PER_MINUTE: '1000000',
  }
  const started = await startPlatform({ services, port: 0, env, clock, out: { write: () => {} } })
  try {
    const { url } = started
    const key = await keyFor(url, 'clock', await logIn(url))
    const id = await buy(url, key, 'two-step-100k-usd', 'clock')
    /** The order's market time, once the market takes it again. */
    const trade = async (side: 'buy' | 'sell'): Promise<number> => {
      const end = performance.now() + 20_000
      for (;;) {
        const body = { symbol: 'BTC/USD', side, type: 'market', quantity: '0.01' }
        const taken = await ask<{ order: { created_at: string } }>(
          url,
          `/api/assessments/${id}/orders`,
          key,
          body,
        ).catch((error: Error) => error)
        if (!(taken instanceof Error)) return Date.parse(taken.order.created_at)
        if (!/ (422|503) /.test(taken.message) || performance.now() > end) throw taken
        await Bun.sleep(50)
      }
    }
    const market = async (): Promise<{ mseq: number; mts: number }> => {
      const { mseq, mts } = (await ask<{ groups: { main: { mseq: number; mts: string } } }>(url, '/api/time', key))
        .groups.main
      return { mseq, mts: Date.parse(mts) }
    }
    const before = await trade('buy')
    offset = 2 * DAY
    await until('the market has seen the jump', async () => (await market()).mts >= before + 2 * DAY, 20_000)
    const ahead = await trade('buy')
    expect(ahead - before).toBeGreaterThanOrEqual(2 * DAY)
    offset = -DAY
    const { mseq } = await market()
    await until('the market goes on', async () => (await market()).mseq > mseq + 60, 20_000)
    const back = await trade('sell')
    expect(back).toBeGreaterThanOrEqual(ahead)
    expect(back - ahead).toBeLessThan(10_000)
    const journal = await ask<{ items: { kind: string }[] }>(url, `/api/assessments/${id}/journal?limit=500`, key)
    expect(journal.items.filter(({ kind }) => kind === 'day').length).toBe(2)
    await started.close()

    const { events, findings } = readLog(join(home, 'market-log/main'))
    expect(findings).toEqual([])
    const quotes = [...events.values()].filter((event) => event.kind === 'quote' && event.mseq > mseq + 20)
    expect(quotes.length).toBeGreaterThan(0)
    const gaps = [...events.values()].filter((event) => event.kind === 'gap')
    expect(gaps.map((event) => (event as { reason?: string }).reason)).toEqual(['clock_jump'])
    const audited = await auditElsewhere(home, '')
    expect(audited.findings).toEqual([])
  } finally {
    await started.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
