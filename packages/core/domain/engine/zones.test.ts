import { expect, test } from 'bun:test'
import { instrument, spec } from '../../testing/world.ts'
import { documentsOf } from '../proof/documents.ts'
import { type Zone, zoneOf } from '../time/zone.ts'
import { compileSpec } from './compile.ts'
import type { AccountSpec } from './types.ts'
import { zoneNamesOf } from './zones.ts'

const swap = { time: '17:00', unit: 'points', long: '0', short: '0', triple: null } as const
const many: AccountSpec = spec(
  [
    { rule: 'weekend_flat', day: 5, time: '20:00', zone: 'Europe/London', effect: 'soft' },
    { rule: 'allowed_sessions', zone: 'Asia/Tokyo', windows: [], effect: 'gate' },
  ],
  {
    instruments: [
      instrument('A/USD', { swap: { ...swap, zone: 'America/New_York' } }),
      instrument('B/USD', { session_calendar: 'c' }),
    ],
    calendars: [
      {
        name: 'c',
        version: 1,
        kind: 'sessions',
        zone: 'America/Chicago',
        weekly: [{ from: { day: 1, time: '08:00' }, to: { day: 1, time: '16:00' } }],
        holidays: null,
      },
    ],
  },
)

test('every zone whose local time decides something is known: resets, swaps, sessions, rules', () => {
  expect(zoneNamesOf(many)).toEqual([
    'America/Chicago',
    'America/New_York',
    'Asia/Tokyo',
    'Europe/London',
    'Europe/Prague',
  ])
})
test('the journal cites the data of each of them', () => {
  const { cited, texts } = documentsOf(many)
  for (const name of zoneNamesOf(many)) {
    expect(JSON.parse(texts.get(cited[`zone:${name}`]!)!)).toEqual(zoneOf(name))
  }
})
test('zones as pinned at creation decide, whatever the table of the day says', () => {
  const late: Zone = { name: 'America/Chicago', version: 'pinned', at: [0], offset: [-12 * 60] }
  const pinned = { ...many, zones: [late] }
  const open = (s: AccountSpec, at: string) => compileSpec(s).markets.get('B/USD')!.sessions!.isOpen(Date.parse(at))
  expect([open(many, '2026-01-05T15:00:00Z'), open(many, '2026-01-05T21:00:00Z')]).toEqual([true, true])
  expect([open(pinned, '2026-01-05T15:00:00Z'), open(pinned, '2026-01-05T21:00:00Z')]).toEqual([false, true])
  expect(JSON.parse(documentsOf(pinned).texts.get(documentsOf(pinned).cited['zone:America/Chicago']!)!)).toEqual(late)
})
