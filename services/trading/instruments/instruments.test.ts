import { afterAll, beforeAll, expect, test } from 'bun:test'
import { CATALOGUE } from '@assay/core/domain/instruments/catalogue'
import { completeInstrument } from '@assay/core/domain/instruments/resolve'
import { type TestDatabase, testDatabase } from '@assay/core/testing/database'
import { instrumentBook } from './instrument-book.ts'
import { publishInstruments } from './publish-instruments.ts'

let database: TestDatabase
const db = () => database.db.as('trading')
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const { instrument } = completeInstrument({ symbol: 'TST/USD', price_tick: '0.01' })
const published = async (document = instrument) => (await publishInstruments(db(), [document]))[0]!

test('a document that says something new is the next version; the same words keep theirs', async () => {
  const first = await published()
  expect(first.document.version).toBe(1)
  expect(await published({ ...instrument, version: 9 })).toEqual(first)
  const second = await published({ ...instrument, price_tick: '0.05' })
  expect(second.document.version).toBe(2)
  expect(second.hash).not.toBe(first.hash)
  const third = await published()
  expect([third.document.version, third.document.price_tick]).toEqual([3, '0.01'])
})
test('what is fed stands over the catalogue; without an answer the last one stands, and is asked for again soon', async () => {
  let now = 0
  let answers: 'fails' | 'fed' = 'fails'
  let asked = 0
  const fed = async () => {
    asked++
    if (answers === 'fails') throw new Error('away')
    return [instrument]
  }
  const book = instrumentBook({ db: db(), now: () => now, fed })
  const symbols = async () => (await book()).map(({ document }) => document.symbol)
  expect(await symbols()).toEqual(CATALOGUE.map(({ symbol }) => symbol))
  answers = 'fed'
  await symbols()
  expect(asked).toBe(1)
  now += 5_000
  expect(await symbols()).toContain('TST/USD')
  answers = 'fails'
  now += 600_000
  expect(await symbols()).toContain('TST/USD')
})
test('many that ask at once cause one load', async () => {
  let asked = 0
  const fed = async () => {
    asked++
    return []
  }
  const book = instrumentBook({ db: db(), now: () => 0, fed })
  await Promise.all([book(), book(), book()])
  expect(asked).toBe(1)
})
