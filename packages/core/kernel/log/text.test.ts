import { expect, test } from 'bun:test'
import { textLine } from './text.ts'

test('what a client sent begins no line of its own in a text log, and moves no cursor (V16.4.1)', () => {
  const forged = 'x\r\n12:00:00.000 error  forged\u001b[2J\u2028\u0085'
  const time = '2026-01-05T12:30:01.250Z'
  const line = textLine(JSON.stringify({ time, level: 'info', msg: forged, path: forged, tried: [forged] }))
  expect(line.indexOf('\n')).toBe(line.length - 1)
  for (const control of ['\r', '\u001b', '\u2028', '\u0085']) expect(line).not.toContain(control)
  expect(line).toContain('path=x\\u000d\\u000a12:00:00.000 error  forged\\u001b[2J\\u2028\\u0085')
})
test('the stack of an error keeps its lines and nothing else that moves the cursor', () => {
  const line = textLine(
    JSON.stringify({ time: '', level: 'debug', msg: 'm', err: { stack: 'Error: a\n  at b\u001b[1m' } }),
  )
  expect(line.split('\n').slice(1)).toEqual(['Error: a', '  at b\\u001b[1m', ''])
})
