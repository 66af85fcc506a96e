import { expect, test } from 'bun:test'
import { messageOf } from './message.ts'

const letter = { id: Bun.randomUUIDv7(), to: 'ann@x.example', subject: 'Hello', text: 'Text.' }
const from = 'Assay <assay@x.example>'

test('no address and no subject becomes a second header or a second recipient (V1.3.11)', () => {
  expect(messageOf(letter, from)).toMatchObject({ to: { address: letter.to }, subject: letter.subject })
  for (const to of [
    'ann@x.example\r\nBcc: eve@x.example',
    'ann@x.example, eve@x.example',
    'ann@x.example;eve@x.example',
    '<ann@x.example>',
    '"ann, eve"@x.example',
    'ann@x.example\u0000',
    'ann@x.example>',
    'ann',
    '',
  ])
    expect(() => messageOf({ ...letter, to }, from)).toThrow(RangeError)
  for (const subject of ['Hello\r\nBcc: eve@x.example', 'Hello\nX: y', 'a\u0000b', 'x'.repeat(201)])
    expect(() => messageOf({ ...letter, subject }, from)).toThrow(RangeError)
  expect(() => messageOf({ ...letter, id: 'x>\r\nBcc: eve@x.example' }, from)).toThrow(RangeError)
})
