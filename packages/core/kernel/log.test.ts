import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLogFile } from './log/file.ts'
import { openLog } from './log.ts'

const home = mkdtempSync(join(tmpdir(), 'assay-log-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

test('secrets never reach a line, e-mail addresses only as a hash, errors also go to error.log (V16.2.2)', () => {
  const lines: string[] = []
  const { logger, close } = openLog({
    level: 'info',
    format: 'json',
    home,
    out: { write: (line) => void lines.push(line) },
  })
  logger.info({ email: 'Ada@example.com', body: { password: 'hunter2', refresh_token: 'rt' }, token: 'tk' }, 'login')
  logger.error({ err: Object.assign(new Error('broken'), { api_key: 'ak' }) }, 'failed')
  close()
  const [login, failed] = lines.map((line) => JSON.parse(line))
  expect(failed.err).toMatchObject({ type: 'Error', message: 'broken', api_key: '[redacted]' })
  expect(login).toMatchObject({
    level: 'info',
    body: { password: '[redacted]', refresh_token: '[redacted]' },
    token: '[redacted]',
  })
  expect(login.email).toMatch(/^sha256:[\da-f]{16}$/)
  expect(login.time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
  expect(readFileSync(join(home, 'logs/assay.log'), 'utf8')).toBe(lines.join(''))
  expect(readFileSync(join(home, 'logs/error.log'), 'utf8')).toBe(lines[1]!)
})
test('secrets are cut out on three levels, in lists too, and what was logged is left as it is (V16.2.5)', () => {
  const lines: string[] = []
  const { logger } = openLog({ level: 'info', format: 'json', out: { write: (line) => void lines.push(line) } })
  const fields = { a: { token: 't1', b: { pin: 't2' } }, list: [{ secret: 't3' }], email: 7, plain: null }
  const before = structuredClone(fields)
  logger.child({ ticket: 't4' }).info(fields, 'x')
  expect(lines[0]).not.toMatch(/t[1-4]"/)
  expect(JSON.parse(lines[0]!)).toMatchObject({
    a: { b: { pin: '[redacted]' } },
    list: [{ secret: '[redacted]' }],
    email: '[redacted]',
  })
  expect(fields).toEqual(before)
})
test('a day that ended is put aside and kept 30 days', () => {
  const folder = join(home, 'rotated')
  let now = Date.UTC(2026, 0, 31, 23, 59)
  const file = openLogFile(folder, 'assay.log', { now: () => now })
  file.write('first\n')
  file.close()
  writeFileSync(join(folder, 'assay.log.2026-01-01'), 'old\n')
  writeFileSync(join(folder, 'assay.log.2026-01-02'), 'kept\n')
  utimesSync(join(folder, 'assay.log'), new Date(now), new Date(now))
  now = Date.UTC(2026, 1, 1, 0, 1)
  const next = openLogFile(folder, 'assay.log', { now: () => now })
  next.write('second\n')
  next.close()
  expect(readdirSync(folder).sort()).toEqual(['assay.log', 'assay.log.2026-01-02', 'assay.log.2026-01-31'])
  expect(readFileSync(join(folder, 'assay.log'), 'utf8')).toBe('second\n')
})
