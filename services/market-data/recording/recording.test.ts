import { afterAll, describe, expect, test } from 'bun:test'
import { readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { scratchRecordings, sharedRecordings } from '../testing/recordings.ts'
import { decimalText } from './decimal-text.ts'
import { deriveInstrument } from './derive-instrument.ts'
import type { Recorded } from './parse-row.ts'
import { parseTime, parseZone, toUtc } from './parse-time.ts'
import { readRecording } from './read-recording.ts'
import { RecordingError } from './row.ts'
import { scanRecording } from './scan-recording.ts'
import { symbolFrom, symbolInName } from './symbol-name.ts'

const scratch = scratchRecordings()
afterAll(() => scratch.remove())
const shared = sharedRecordings()

async function rowsOf(file: string, options = {}): Promise<Recorded[]> {
  const { recording } = await scanRecording({ file, ...options })
  const rows: Recorded[] = []
  for await (const batch of readRecording(recording)) rows.push(...batch.rows)
  return rows
}

describe('numbers and times', () => {
  test('a number is kept as written, in its one plain form', () => {
    const cases: [string, string | null][] = [
      ['46319.0', '46319'],
      ['1.121200', '1.1212'],
      ['0.015571269999999998', '0.015571269999999998'],
      ['1e-05', '0.00001'],
      ['1.5E+3', '1500'],
      ['.5', '0.5'],
      ['007', '7'],
      ['+3', '3'],
      ['-0.0', '0'],
      ['-2.50', '-2.5'],
      ['', null],
      ['abc', null],
      ['1,5', null],
      ['NaN', null],
    ]
    for (const [text, plain] of cases) expect(decimalText(text)).toBe(plain)
  })

  test('times are read in every usual spelling', () => {
    const at = Date.UTC(2020, 0, 1, 17, 0, 0, 65)
    for (const text of [
      '20200101 170000065',
      '2020-01-01 17:00:00.065000',
      '2020-01-01T17:00:00.065Z',
      '2020.01.01 17:00:00.065',
      '01.01.2020 17:00:00.065',
      String(at),
      `${at}000`,
      `${at}000000`,
      '1577898000.065',
      '2020-01-01T18:00:00.065+01:00',
    ]) {
      expect(parseTime(text)?.ms).toBe(at)
    }
    expect(parseTime('2020-01-01 17:00:00')?.zoned).toBe(false)
    expect(parseTime('2020-01-01 17:00:00+00:00')?.zoned).toBe(true)
    for (const text of ['', 'yesterday', '2020-13-01 00:00:00', '2021-02-31 00:00:00', '2020-01-01 25:00:00', '12'])
      expect(parseTime(text)).toBeNull()
  })

  test('a zone is an offset or a name', () => {
    expect(toUtc(0, parseZone('UTC-5')!)).toBe(5 * 3_600_000)
    expect(toUtc(0, parseZone('+05:30')!)).toBe(-5.5 * 3_600_000)
    expect(toUtc(Date.UTC(2024, 6, 1, 12), parseZone('Europe/Prague')!)).toBe(Date.UTC(2024, 6, 1, 10))
    expect(parseZone('Mars/Olympus')).toBeNull()
  })

  test('a symbol is found in a field or a file name', () => {
    expect(['BTC/USD', 'btcusdt', 'ETH-BTC', 'BTC/USDT:USDT', 'hello', 'AB'].map(symbolFrom)).toEqual([
      'BTC/USD',
      'BTC/USDT',
      'ETH/BTC',
      'BTC/USDT:USDT',
      null,
      null,
    ])
    expect(
      [
        'xrp-eth-trades-2019-10.json.gz',
        'DAT_ASCII_EURUSD_T_202001.csv',
        'BTCUSDT-trades-2023-01.csv',
        'btc-perp-1m.csv',
      ].map((n) => symbolInName(`/data/${n}`)?.symbol),
    ).toEqual(['XRP/ETH', 'EUR/USD', 'BTC/USDT', 'BTC/USD:USD'])
    expect(symbolInName('/data/quotes.csv')).toBeNull()
  })
})

describe('recordings', () => {
  test('one set of quotes reads alike from CSV, JSON array, JSON lines and Parquet, plain and gzipped', async () => {
    const objects = [0, 1, 2].map((i) => ({
      timestamp: Date.UTC(2024, 2, 1, 9) + i,
      symbol: 'BTC/USD',
      bid: `100.${i + 1}`,
      ask: `100.${i + 1}5`,
      bid_size: ['1.5', '', '2.25'][i],
      ask_size: i + 1,
    }))
    const json = (o: object) => JSON.stringify(o).replace(/"(bid|ask|bid_size)":"([\d.]+)"/g, '"$1":$2')
    const csv = `timestamp,symbol,bid,ask,bid_size,ask_size\n${objects.map((o) => Object.values(o).join(',')).join('\r\n')}\n`
    const files = [
      scratch.write('q.csv', csv),
      scratch.write('q.csv.gz', csv),
      scratch.write('q.json', `[\n${objects.map(json).join(',\n')}\n]`),
      scratch.write('q.json.gz', JSON.stringify(objects)),
      scratch.write('q.jsonl', objects.map(json).join('\n')),
      join(import.meta.dir, 'fixtures/quotes.parquet'),
      join(import.meta.dir, 'fixtures/quotes-zstd.parquet'),
    ]
    const [first, ...others] = await Promise.all(files.map((file) => rowsOf(file)))
    const plain = (rows: Recorded[]) => rows.map(({ line: _, ...row }) => row)
    expect(plain(first!)).toEqual([
      {
        kind: 'quote',
        ts: 1709283600000,
        symbol: 'BTC/USD',
        bid: '100.1',
        ask: '100.15',
        bid_size: '1.5',
        ask_size: '1',
      },
      { kind: 'quote', ts: 1709283600001, symbol: 'BTC/USD', bid: '100.2', ask: '100.25', ask_size: '2' },
      {
        kind: 'quote',
        ts: 1709283600002,
        symbol: 'BTC/USD',
        bid: '100.3',
        ask: '100.35',
        bid_size: '2.25',
        ask_size: '3',
      },
    ])
    for (const other of others) expect(plain(other)).toEqual(plain(first!))
  })

  test('known exports are recognised', async () => {
    const cases: [string, string, string][] = [
      ['BTCUSDT-trades-2023-01.csv', '1,100.5,0.2,20.1,1672531200000,True,True\n', 'Binance trades'],
      ['BTCUSDT-aggTrades.csv', '1,100.5,0.2,1,2,1672531200000,False,True\n', 'Binance aggregate trades'],
      ['BTCUSDT-1m.csv', '1672531200000,1,2,0.5,1.5,10,1672531259999,15,3,5,7,0\n', 'Binance candles'],
      ['EURUSD-m1.csv', '20200101 170000;1.1;1.2;1.0;1.1;0\n', 'HistData candles'],
      ['eth-usdt.json', '[[1672531200000,1,2,0.5,1.5,10]]', 'candles'],
      [
        'msgs.jsonl',
        '{"e":"trade","s":"BTCUSDT","t":1,"p":"1.5","q":"2","T":1672531200000,"m":true}',
        'Binance trade messages',
      ],
      [
        'EURUSD_ticks.csv',
        '<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n2020.01.02\t00:00:01.5\t1.1\t1.2\t\t\t6\n',
        'MetaTrader export',
      ],
    ]
    for (const [name, text, known] of cases) {
      const scan = await scanRecording({ file: scratch.write(name, text) })
      expect([name, scan.recording.columns.known, scan.rows]).toEqual([name, known, 1])
    }
    const sparse = await rowsOf(
      scratch.write(
        'EURUSD_sparse.csv',
        '<DATE>\t<TIME>\t<BID>\t<ASK>\n2020.01.02\t00:00:01\t1.1\t1.2\n2020.01.02\t00:00:02\t\t1.3\n',
      ),
    )
    expect(sparse.map((r) => r.kind === 'quote' && [r.bid, r.ask])).toEqual([
      ['1.1', '1.2'],
      ['1.1', '1.3'],
    ])
  })

  test('a corrupt line is counted and quoted with its place, the others are read', async () => {
    const csv =
      'timestamp,symbol,side,price,size\n1672531200000,BTC/USD,buy,1.5,1\nnonsense\n1672531200001,BTC/USD,up,1.5,1\n1672531200002,BTC/USD,sell,x,1\n1672531200003,BTC/USD,sell,1.4,2\n"torn'
    const { rows, corrupt } = await scanRecording({ file: scratch.write('corrupt.csv', csv) })
    expect([rows, corrupt.count]).toEqual([2, 4])
    expect(corrupt.first.map((c) => c.line)).toEqual([3, 4, 5, 7])
    expect(corrupt.first.map((c) => c.reason)).toEqual([
      'time "nonsense" is not a time',
      'side "up" is neither buy nor sell',
      'price "x" is not a number',
      'not a row',
    ])

    const trade = (i: number) => `[${1672531200000 + i},"${i}",null,"buy",1.5,1,1.5]`
    for (const damaged of [
      '[1672531200001,"1",null,"buy"',
      '[1672531200001,"1,null,"buy",1.5,1,1.5]',
      'nothing]',
      '[1,2,{]',
    ]) {
      const file = scratch.write('xrp-eth.json', `[${trade(0)},${damaged},${trade(2)},${trade(3)}]`)
      expect([damaged, (await scanRecording({ file })).rows]).toEqual([damaged, 3])
    }
  })

  test('a gzip stream that ends early gives what it held and says so', async () => {
    const file = scratch.write(
      'btc-usd.csv.gz',
      `timestamp,bid,ask\n${Array.from({ length: 20_000 }, (_, i) => `${1672531200000 + i},${(i * 7919) % 1009},${((i * 7919) % 1009) + 1}`).join('\n')}`,
    )
    truncateSync(file, readFileSync(file).length >> 1)
    const { rows, corrupt } = await scanRecording({ file })
    expect(rows).toBeGreaterThan(5000)
    expect(corrupt.first.at(-1)?.reason).toContain('ends early')
  })

  test('what the file does not say is asked for by the name of its option', async () => {
    const refused = async (name: string, text: string, options = {}) => {
      const error = await scanRecording({ file: scratch.write(name, text), ...options }).catch((e) => e)
      expect(error).toBeInstanceOf(RecordingError)
      return error.option
    }
    expect(await refused('quotes.csv', 'timestamp,bid,ask\n1672531200000,1,2\n')).toBe('symbol')
    expect(await refused('btc-usd.csv', 'a,b,c\n1672531200000,1,2\n')).toBe('columns')
    expect(await refused('btc-usd-b.csv', 'timestamp,bid,ask\n1672531200000,1,2\n', { columns: 'time,price' })).toBe(
      'columns',
    )
    expect(await refused('btc-usd-c.csv', 'timestamp,bid,ask\n2020-01-01 00:00:00,1,2\n', { zone: 'Nowhere' })).toBe(
      'zone',
    )
    expect(
      await refused('two.csv', 'timestamp,symbol,bid,ask\n1672531200000,BTC/USD,1,2\n', { symbol: 'ETH/USD' }),
    ).toBe('symbol')
    await expect(scanRecording({ file: '/nowhere/x.csv' })).rejects.toThrow('no such file')
    await expect(scanRecording({ file: import.meta.dir })).rejects.toThrow('not a file')
    await expect(scanRecording({ file: scratch.write('empty.csv', '') })).rejects.toThrow('is empty')
  })

  test('--columns names cells by position or by header, --symbol leaves other symbols out', async () => {
    const file = scratch.write('odd.csv', 'when;what;b1;a1\n1672531200000;BTCUSD;1;2\n1672531200001;ETHUSD;3;4\n')
    for (const columns of ['time,symbol,bid,ask', 'time=when,symbol=what,bid=b1,ask=4']) {
      expect(
        (await rowsOf(file, { columns, symbol: 'ETH/USD' })).map((r) => r.kind === 'quote' && [r.symbol, r.bid, r.ask]),
      ).toEqual([['ETH/USD', '3', '4']])
    }
  })
})

describe.skipIf(!shared)('the shared recordings', () => {
  const scanned = (name: string) => scanRecording({ file: join(shared!, name) })

  test('XRP/ETH: 12,477 trades, tick and step the finest seen', async () => {
    const { symbols, kind, corrupt, recording } = await scanned('xrp-eth-trades-2019-10.json.gz')
    expect(symbols).toEqual([
      {
        symbol: 'XRP/ETH',
        rows: 12477,
        firstTs: 1570752011620,
        lastTs: 1570965568844,
        priceTick: '0.00000001',
        quantityStep: '1',
        maxSize: '35787',
      },
    ])
    expect([kind, corrupt.count, recording.columns.known]).toEqual(['trade', 0, 'ccxt trades'])
    expect(deriveInstrument(symbols[0]!)).toMatchObject({
      kind: 'spot',
      base: 'XRP',
      quote: 'ETH',
      price_tick: '0.00000001',
      quantity_step: '1',
    })
  })

  test('ETH/USDT trades, EUR/USD quotes at UTC-5, BTC candles of a minute', async () => {
    const eth = await scanned('eth-usdt-trades-2023-02-02.csv.gz')
    expect([eth.symbols[0]?.symbol, eth.rows, eth.symbols[0]?.quantityStep]).toEqual(['ETH/USDT', 1000, '0.001'])
    const eur = await scanned('eurusd-quotes-2020-01.csv.gz')
    expect([eur.symbols[0]?.symbol, eur.rows, new Date(eur.firstTs).toISOString()]).toEqual([
      'EUR/USD',
      9500,
      '2020-01-01T22:00:00.065Z',
    ])
    expect(eur.notices.join()).toContain('UTC-5 (--zone)')
    const btc = await scanned('btc-perp-1m-2022-01.csv.gz')
    expect([btc.rows, btc.candleMs, btc.corrupt.count]).toEqual([45031, 60_000, 0])
    expect(btc.notices.join()).toContain('--candle-time')
  })
})
