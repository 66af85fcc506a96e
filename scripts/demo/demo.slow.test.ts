import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sharedRecordings } from '@assay/services/market-data/testing/recordings'
import { capture } from '../capture.ts'
import { ROOT } from '../root.ts'

const home = mkdtempSync(join(tmpdir(), 'assay-demo-'))
afterAll(() => rmSync(home, { recursive: true }))
const recordings = sharedRecordings()

/** Exit code, verdict and exit of the verification. */
async function demo(...argv: string[]) {
  const { code, output } = await capture([process.execPath, `${ROOT}scripts/cli.ts`, 'demo', ...argv], {
    env: { ASSAY_HOME: home },
    timeoutMs: 170_000,
  })
  const last = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(output)?.[1]
  return { code, verdict: last('verdict'), verify: last('verify'), output }
}

describe('the simulated market', () => {
  test('the tour passes', async () => {
    expect(await demo()).toMatchObject({ code: 0, verdict: 'passed', verify: 'exit 0' })
  }, 180_000)
  test('with --fail it breaches', async () => {
    const { output, ...ended } = await demo('--fail')
    expect(ended).toEqual({ code: 0, verdict: 'failed', verify: 'exit 0' })
    expect(output).toContain('left: profit_target')
  }, 180_000)
})

describe('recordings', () => {
  test.skipIf(!recordings)(
    'the XRP/ETH one breaches with --fail',
    async () => {
      const file = join(recordings!, 'xrp-eth-trades-2019-10.json.gz')
      expect(await demo('--replay', file, '--fail')).toMatchObject({ code: 0, verdict: 'failed', verify: 'exit 0' })
    },
    180_000,
  )
  test.skipIf(!recordings).each([
    ['eth-usdt-trades-2023-02-02.csv.gz', 'trades of ETH/USDT'],
    ['eurusd-quotes-2020-01.csv.gz', 'quotes of EUR/USD'],
    ['btc-perp-1m-2022-01.csv.gz', 'candles of BTC/USD:USD'],
  ])(
    '%s runs through, without a verdict forced, and verifies',
    async (file, said) => {
      const { code, verdict, verify, output } = await demo('--replay', join(recordings!, file))
      expect({ code, verify }).toEqual({ code: 0, verify: 'exit 0' })
      expect(['open', 'passed', 'failed']).toContain(verdict!)
      expect(output).toContain(said)
    },
    180_000,
  )
  test('a verdict in the last seconds of a recording has its proof, though no event follows it', async () => {
    const file = join(home, 'eur-usd.csv')
    const quotes = ['1.1000,1.1002', '1.1001,1.1003', '1.2000,1.2002', '1.2001,1.2003']
    const lines = quotes.map((quote, second) => `${1_709_283_600_000 + second * 1000},${quote}`)
    writeFileSync(file, ['timestamp,bid,ask', ...lines].join('\n'))
    expect(await demo('--replay', file)).toMatchObject({ code: 0, verdict: 'passed', verify: 'exit 0' })
  }, 60_000)
})
