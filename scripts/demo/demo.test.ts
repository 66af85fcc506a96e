import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '@assay/core/kernel/config'
import { sharedRecordings } from '@assay/services/market-data/testing/recordings'
import { capture } from '../capture.ts'
import { ROOT } from '../root.ts'

const home = mkdtempSync(join(tmpdir(), 'assay-demo-'))
afterAll(() => rmSync(home, { recursive: true }))
const recordings = sharedRecordings()

const demo = (...argv: string[]) =>
  capture([process.execPath, `${ROOT}scripts/cli.ts`, 'demo', ...argv], { env: { ASSAY_HOME: home } })
function recording(name: string, lines: string[]): string {
  const path = join(home, name)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}
const QUOTES = ['timestamp,bid,ask', '2024-03-01T09:00:00Z,1.0801,1.0803', '2024-03-01T09:00:01Z,1.0802,1.0804']

describe('on the XRP/ETH recording', () => {
  test.skipIf(!recordings)(
    'the demo passes with an ETH account, says what each fill cost, and its proof verifies elsewhere',
    async () => {
      const { code, output } = await demo('--replay', join(recordings!, 'xrp-eth-trades-2019-10.json.gz'))
      const lines = output.trimEnd().split('\n')
      expect(lines.slice(-4)).toEqual([
        'verdict: passed',
        expect.stringMatching(/^proof: .+\/assessment\.proof$/),
        expect.stringMatching(/^keys: .+\/journal-keys\.json$/),
        'verify: exit 0',
      ])
      expect(code).toBe(0)
      expect(output).toContain('instrument XRP/ETH: tick 0.00000001, step 1, fee 4 bps')
      expect(output).toContain('bought the tier "Demo, 5 ETH"')
      expect(output).toMatch(/equity 4\.99\d+ ETH; left: profit_target \d/)
      expect(output).toMatch(/sell \d+ XRP\/ETH at 0\.0014\d+ {2}fee [\d.]+ {2}spread [\d.]+ {2}by quote \d+/)

      const [, proof, keys] = lines.slice(-4).map((line) => line.slice(line.indexOf(' ') + 1))
      const again = await capture([process.execPath, `${ROOT}scripts/cli.ts`, 'verify', proof!, '--keys', keys!])
      expect(again).toMatchObject({ code: 0, output: expect.stringContaining(': passed') })
      await Bun.write(keys!, JSON.stringify({ v: 1, keys: [] }))
      const untrusted = await capture([process.execPath, `${ROOT}scripts/cli.ts`, 'verify', proof!, '--keys', keys!])
      expect(untrusted.code).toBe(2)
    },
    60_000,
  )
})

test.each([
  ['while it starts', 'starting an instance'],
  ['while it trades', 'strategy '],
])(
  'Ctrl-C %s ends it with 130 and leaves no folder behind',
  async (_, line) => {
    const place = mkdtempSync(join(home, 'interrupted-'))
    const child = Bun.spawn([process.execPath, `${ROOT}scripts/cli.ts`, 'demo'], {
      env: { ...environment(), ASSAY_HOME: place },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    const decoder = new TextDecoder()
    for await (const bytes of child.stdout) {
      const before = output.includes(line)
      output += decoder.decode(bytes, { stream: true })
      if (!before && output.includes(line)) child.kill('SIGINT')
    }
    expect([await child.exited, readdirSync(place)]).toEqual([130, []])
  },
  30_000,
)

describe('what the demo is not told and cannot know', () => {
  test('a recording whose name and columns say no symbol ends with 2 and names --symbol', async () => {
    const { code, output } = await demo('--replay', recording('data.csv', QUOTES))
    expect({ code, names: output.includes('--symbol') }).toEqual({ code: 2, names: true })
  })
  test('several symbols are listed, and --symbol chooses', async () => {
    const lines = ['timestamp,symbol,bid,ask', '1709283600000,EUR/USD,1.08,1.0802', '1709283600000,GBP/USD,1.26,1.2602']
    const { code, output } = await demo('--replay', recording('two.csv', lines))
    expect(code).toBe(2)
    expect(output).toContain('EUR/USD, GBP/USD: choose one with --symbol')
  })
  test('an account currency that the recording cannot convert to is refused by option, and nothing is left behind', async () => {
    const { code, output } = await demo('--replay', recording('eur-usd.csv', QUOTES), '--currency', 'JPY')
    expect(code).toBe(2)
    expect(output).toContain('--currency JPY')
    expect(readdirSync(home).filter((name) => name.startsWith('demo-')).length).toBeLessThanOrEqual(1)
  }, 20_000)
  test.each([
    ['--replay', '/nowhere.csv', 'no such file'],
    ['--candle-time', 'noon', 'open or close'],
    ['--relpay', 'x', 'did you mean --replay'],
  ])('%s %s ends with 2 and the reason', async (option, value, reason) => {
    const { code, output } = await demo(option, value)
    expect({ code, says: output.includes(reason) }).toEqual({ code: 2, says: true })
  })
})
