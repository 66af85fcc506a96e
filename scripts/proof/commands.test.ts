import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chain, GENESIS } from '@assay/core/domain/journal/chain'
import { issueReceipts } from '@assay/core/domain/journal/receipt'
import { buildProof } from '@assay/core/domain/proof/build'
import { documentsOf } from '@assay/core/domain/proof/documents'
import { readArchive } from '@assay/core/domain/proof/read-archive'
import { createMemoryLog } from '@assay/core/ports/marketlog/memory'
import { testKey } from '@assay/core/testing/proof-world'
import { instrument, spec } from '@assay/core/testing/world'
import { scanRecording } from '@assay/services/market-data/recording/scan-recording'
import { replayEvents } from '@assay/services/market-data/replay/replay-events'
import { logSource } from '@assay/services/trading/proof/log-source'
import { type ListedCommand, listCommands, readList, writeList } from './command-list.ts'
import { type Repeated, repeatRun } from './repeat-run.ts'

const SYMBOL = 'TST/USD'
const folder = mkdtempSync(join(tmpdir(), 'proof-commands-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)

// ---- one run over a recording, with a proof ---------------------------------------------------------------------
const traded = instrument(SYMBOL)
const accountSpec = spec(
  [
    {
      rule: 'max_loss',
      mode: 'static',
      limit: { amount: '500' },
      lock: null,
      metric: 'equity',
      compare: 'lt',
      effect: 'hard',
    },
  ],
  {
    instruments: [traded],
  },
)
const documents = documentsOf(accountSpec)
const order = (side: 'buy' | 'sell', quantity: string): ListedCommand['body'] => ({
  op: 'order',
  symbol: SYMBOL,
  side,
  type: 'market',
  quantity,
})
const recording = at('TST-USD.csv')
const eventsOf = async () => {
  const scan = await scanRecording({ file: recording, symbol: SYMBOL })
  return replayEvents({ scan, instruments: new Map([[SYMBOL, traded]]) })
}
const entry = (
  after: number,
  cseq: number,
  body: ListedCommand['body'],
  more: Partial<ListedCommand> = {},
): ListedCommand => ({ after, account: 'account-1', cseq, body, ...more })

let list: ListedCommand[]
let ran: Repeated
beforeAll(async () => {
  const rows = Array.from({ length: 400 }, (_, i) => {
    const bid = 100 + Math.sin(i / 9) * 2 - (i > 350 ? 9 : 0)
    return `${Date.UTC(2024, 2, 1, 9) + i * 20_000},${SYMBOL},${bid.toFixed(2)},${(bid + 0.01).toFixed(2)}`
  })
  writeFileSync(recording, `timestamp,symbol,bid,ask\n${rows.join('\n')}\n`)
  const header = {
    kind: 'header',
    engine: 1,
    docs: documents.cited,
    currency: 'USD',
    initial_balance: '100000',
    leverage: '100',
    position_mode: 'netting',
    stop_out: null,
    queue_model: false,
    latency_ms: 0,
    max_pauses: 0,
    max_pause_days: 0,
    warnings: [] as string[],
  } as const
  const { reset_zone, reset_time, phases, group } = accountSpec
  list = [
    entry(
      5,
      1,
      { op: 'create' },
      {
        header: { aseq: 0, mseq: 5, mts: 0, cseq: 1, ...header, reset_zone, reset_time, phases, group, seeds: [] },
        documents: Object.fromEntries(documents.texts),
      },
    ),
    entry(5, 2, { op: 'start' }),
    entry(40, 3, order('buy', '50')),
    entry(90, 4, order('sell', '50')),
    entry(200, 5, order('buy', '100')),
  ]
  ran = (await repeatRun(list, await eventsOf()))[0]!
  const log = createMemoryLog()
  await log.fence('main', 1)
  for await (const events of await eventsOf()) await log.append('main', 1, events)
  await log.seal('main')
  const signer = testKey(1)
  const hashes = chain(GENESIS, ran.records)
  const proof = await buildProof({
    assessment: 'account-1',
    ids: {},
    records: ran.records,
    envelope: ran.records.map(({ aseq }) => ({
      hash: hashes[aseq]!,
      at: null,
      request: null,
      receipt: issueReceipts([{ assessment: 'account-1', aseq, hash: hashes[aseq]! }], signer, 1000)[0]!,
    })),
    documents: documents.texts,
    keys: [signer.key],
    group: 'main',
    log: logSource(log, 'main'),
  })
  writeFileSync(at('one.proof'), proof)
  writeFileSync(at('keys.json'), JSON.stringify({ v: 1, keys: [signer.key] }))
})

describe('a command list', () => {
  test('taken from a proof repeats the run: equal chains and state hashes', async () => {
    expect(ran.status).toBe('failed')
    const again = readList(writeList(listCommands(await readArchive(await Bun.file(at('one.proof')).bytes()))), 'list')
    expect(again.map((e) => [e.after, e.cseq, e.body.op])).toEqual(list.map((e) => [e.after, e.cseq, e.body.op]))
    const [repeated] = await repeatRun(again, await eventsOf())
    expect(repeated).toEqual(ran)
  })
  test('with a broken line is refused with the line named', () => {
    expect(() => readList('{"after":1}\n', 'list.jsonl')).toThrow('list.jsonl:1')
  })
})

// ---- the commands, in a process of their own ------------------------------------------------------------------------
const CLI = resolve(import.meta.dir, '../cli.ts')
const OFFLINE = at('offline.ts')
/** Runs a command in an empty folder, without environment, every way out to the network failing. */
async function assay(command: string, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const empty = mkdtempSync(join(folder, 'empty-'))
  const inside = argv.map((arg) => {
    if (!arg.startsWith(folder)) return arg
    const name = arg.slice(folder.length + 1)
    cpSync(arg, join(empty, name))
    return name
  })
  const child = Bun.spawn([process.execPath, '--preload', OFFLINE, CLI, command, ...inside], {
    cwd: empty,
    env: {},
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  expect(readdirSync(empty).sort()).toEqual([...new Set(inside.filter((arg, i) => arg !== argv[i]))].sort())
  return { code, out, err }
}

describe('assay verify in an empty folder, without environment, database or network', () => {
  beforeAll(() => {
    writeFileSync(
      OFFLINE,
      `import net from 'node:net'
       import dns from 'node:dns'
       const refuse = () => { throw new Error('the network was used') }
       globalThis.fetch = refuse
       globalThis.WebSocket = refuse
       net.connect = net.createConnection = net.Socket.prototype.connect = dns.lookup = Bun.connect = refuse`,
    )
  })
  test('a proof that follows: exit 0', async () => {
    const { code, out, err } = await assay('verify', at('one.proof'), '--keys', at('keys.json'))
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain(ran.hash)
  })
  test('another key: exit 1 with the place; no key, cut off, not there, not said: exit 2', async () => {
    const whole = await Bun.file(at('one.proof')).bytes()
    writeFileSync(at('cut.proof'), whole.subarray(0, whole.length - 9))
    writeFileSync(at('other-keys.json'), JSON.stringify({ v: 1, keys: [testKey(2).key] }))
    const codes = await Promise.all([
      assay('verify', at('one.proof'), '--keys', at('other-keys.json')),
      assay('verify', at('one.proof')),
      assay('verify', at('cut.proof'), '--keys', at('keys.json')),
      assay('verify', 'nowhere.proof', '--keys', at('keys.json')),
      assay('verify'),
    ])
    expect(codes.map(({ code }) => code)).toEqual([1, 2, 2, 2, 2])
    expect(codes[0]!.out).toMatch(/first difference: record \d+, event \d+/)
  })
  test('a receipt and another proof of the same log are compared', async () => {
    const { envelope } = await readArchive(await Bun.file(at('one.proof')).bytes())
    const receipt = envelope.receipts[3]!
    writeFileSync(at('receipt.json'), JSON.stringify({ order: {}, receipt }))
    writeFileSync(at('forged.json'), JSON.stringify({ ...receipt, hash: 'ab'.repeat(32) }))
    const codes = await Promise.all([
      assay(
        'verify',
        at('one.proof'),
        '--keys',
        at('keys.json'),
        '--receipt',
        at('receipt.json'),
        '--against',
        at('one.proof'),
      ),
      assay('verify', at('one.proof'), '--keys', at('keys.json'), '--receipt', at('forged.json')),
    ])
    expect(codes.map(({ code }) => code)).toEqual([0, 1])
  })
  test('assay explain says why from the archive alone', async () => {
    const { code, out } = await assay('explain', at('one.proof'))
    expect(code).toBe(0)
    expect(out).toContain('verdict: failed by max_loss')
  })
  test('assay replay gives the same chain from the extracted list', async () => {
    const extracted = await assay('replay', '--extract', at('one.proof'))
    writeFileSync(at('list.jsonl'), extracted.out)
    const { code, out } = await assay(
      'replay',
      '--commands',
      at('list.jsonl'),
      '--recording',
      recording,
      '--symbol',
      SYMBOL,
      '--json',
    )
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({
      account: 'account-1',
      records: ran.records.length,
      hash: ran.hash,
      state_hash: ran.state_hash,
      status: 'failed',
    })
  })
})
