import { expect, test } from 'bun:test'
import { pick, randomOf } from '@assay/core/testing/random-world'
import { flatCells } from './flat-row.ts'
import { parseExact } from './read-json.ts'

const cell = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'boolean' ? String(value) : ''
function careful(text: string): string[] | null {
  try {
    const value = parseExact(text)
    return Array.isArray(value) ? value.map(cell) : null
  } catch {
    return null
  }
}

test('a row is read as written, or left to the careful parser', () => {
  expect(flatCells('[1570752011620,"13519807",null,"sell",0.00141342,23.0,0.015571269999999998]')).toEqual([
    '1570752011620',
    '13519807',
    '',
    'sell',
    '0.00141342',
    '23.0',
    '0.015571269999999998',
  ])
  expect(flatCells(' [1]')).toBeNull()
  expect(flatCells('["a\\n"]')).toBeNull()
  expect(flatCells('[[1]]')).toBeNull()
  expect(flatCells('[1,]')).toBeNull()
})

test('whatever is read is what the careful parser reads, over 200,000 texts', () => {
  const random = randomOf(5)
  const parts = ['1', '-0.5', '1e-05', '2E+7', '007', '"a b"', '"]"', 'null', 'true', 'false']
  const odd = ['"\\""', 'nul', '{}', '.5', '+3', '1.', '"', '']
  const marks = [',', ',', ',', ', ', ',\n', ' ', ']', '[', '', '\t,']
  let read = 0
  for (let i = 0; i < 200_000; i++) {
    let text = pick(random, ['[', '[', '[', '[ ', '{', ''])
    for (let n = Math.floor(random() * 6); n >= 0; n--)
      text += pick(random, random() < 0.95 ? parts : odd) + (n > 0 && random() < 0.97 ? ',' : pick(random, marks))
    text += pick(random, [']', ']', ']', '] ', ']]', ''])
    const cells = flatCells(text)
    if (cells === null) continue
    read++
    const must = careful(text)
    if (must?.join('\0') !== cells.join('\0') || must.length !== cells.length)
      expect({ text, cells }).toEqual({ text, cells: must! })
  }
  expect(read).toBeGreaterThan(10_000)
})
