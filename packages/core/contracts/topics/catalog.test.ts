import { expect, test } from 'bun:test'
import type { MarketEvent } from '../../domain/market/event.ts'
import { deadLetterOf, TOPICS, topicNamed } from './catalog.ts'
import { marketSequenced, TICKS, ticksTopic } from './market-data.ts'
import { renderTopics } from './render.ts'

test('each topic has a name of its own, partitions, a retention and a summary', () => {
  expect(new Set(TOPICS.map(({ name }) => name)).size).toBe(TOPICS.length)
  for (const { name, partitions, retentionMs, summary } of TOPICS) {
    expect(name).toMatch(/^[a-z-]+\.[a-z-]+$/)
    expect([name, partitions > 0, retentionMs > 0, summary.length > 0]).toEqual([name, true, true, true])
  }
})

test('a topic is found by its name, and only by one that exists', () => {
  expect(topicNamed('trading.order-filled').producer).toBe('trading')
  expect(() => topicNamed('trading.nothing')).toThrow('There is no topic trading.nothing')
})

test('dead letters keep the key of their source, for 30 days, in a durable topic of one partition', () => {
  const letters = deadLetterOf(topicNamed('market-data.btc-ticks'))
  expect([letters.name, letters.key, letters.partitions, letters.durable, letters.retentionMs]).toEqual([
    'market-data.btc-ticks.dead-letter',
    'symbol',
    1,
    true,
    30 * 86_400_000,
  ])
})

test.each([
  ['BTC/USD', 'sim', TICKS.btc],
  ['ETH/USDT:USDT', 'sim', TICKS.eth],
  ['SOL/USD', 'sim', TICKS.sol],
  ['EUR/USD', 'sim', TICKS.fx],
  ['XRP/ETH', 'sim', TICKS.other],
  ['USD/BTC', 'sim', TICKS.other],
  ['BTC-100K', 'polymarket', TICKS.polymarket],
  ['BTC-100K', 'kalshi', TICKS.kalshi],
])('ticks of %s from %s go to their own topic', (symbol, venue, topic) => {
  expect(ticksTopic(symbol, venue).name).toBe(topic.name)
})

test('every kind of market event passes its schema unchanged', () => {
  const at = { ts: 1, pos: 2, mseq: 3, mts: 4 }
  const of = { ...at, symbol: 'BTC/USD', venue: 'sim' }
  const events: MarketEvent[] = [
    { kind: 'quote', ...of, bid: '1', ask: '2', bid_size: '3', synthetic: 'trades' },
    { kind: 'trade', ...of, price: '1', size: '2', side: 'buy', bid: '1', ask: '2' },
    { kind: 'levels', ...of, bids: [['1', '2']], asks: [] },
    { kind: 'symbol_state', ...of, state: 'halted', reason: 'operator' },
    { kind: 'symbol_state', ...of, state: 'settled', price: '1' },
    { kind: 'rate', ...of, what: 'funding', rate: '-0.0001' },
    { kind: 'rate', ...of, what: 'swap', long: '-0.5', short: '0.2' },
    { kind: 'source_changed', ...of, from: 'other', reason: 'stale' },
    { kind: 'gap', ...at, symbols: null, reason: 'clock' },
    { kind: 'clock', ...at },
    { kind: 'timeline', ...at, timeline: 't', reason: 'restore' },
  ]
  for (const event of events) expect(marketSequenced.schema.parse(event)).toEqual(event)
})

test('the page of topics has a line for each', () => {
  const page = renderTopics()
  for (const { name } of TOPICS) expect(page).toContain(`| \`${name}\` |`)
})
