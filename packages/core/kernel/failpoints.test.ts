import { expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { armFailpoint, armFailpoints, failpoint } from './failpoints.ts'

test('a failpoint does nothing until it is armed, and again when it is disarmed', async () => {
  expect(failpoint('unarmed')).toBeUndefined()
  const disarm = armFailpoint('armed', () => {
    throw new Error('here')
  })
  expect(() => failpoint('armed')).toThrow('here')
  disarm()
  expect(failpoint('armed')).toBeUndefined()
})

test('armed by a setting, points note when they are entered and left', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-failpoints-'))
  const file = join(folder, 'noted')
  armFailpoints(`${file}:5:first-point,second-point`)
  const first = failpoint('first-point')
  expect(readFileSync(file, 'utf8')).toBe('+first-point\n')
  await first
  await failpoint('second-point')
  expect(readFileSync(file, 'utf8')).toBe('+first-point\n-first-point\n+second-point\n-second-point\n')
  rmSync(folder, { recursive: true })
})
