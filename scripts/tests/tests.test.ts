import { describe, expect, test } from 'bun:test'
import { ROOT } from '../root.ts'
import { mergeLcov } from './coverage.ts'
import { judge, readReport } from './suites.ts'

const report = (attributes: string) =>
  `<?xml version="1.0"?>\n<testsuites name="bun test" ${attributes} time="0.1">\n</testsuites>`

describe('a suite counts as what its runner says', () => {
  test('passed, failed and skipped come from the report', () => {
    const counts = readReport(report('tests="9" assertions="40" failures="2" skipped="3"'))
    expect(judge(counts, 1)).toEqual({ passed: 4, failed: 2, skipped: 3 })
  })
  test('a crash is a failure, with a report and without one', () => {
    expect(judge(undefined, 137)).toMatchObject({ failed: 1, broken: 'the runner ended with 137 and no report' })
    const green = readReport(report('tests="9" failures="0" skipped="0"'))
    expect(judge(green, 139)).toMatchObject({ passed: 9, failed: 1, broken: 'the runner ended with 139' })
  })
  test('a file without a test is a failure', () => {
    expect(judge(readReport(report('tests="0" failures="0" skipped="0"')), 0)).toMatchObject({
      failed: 1,
      broken: 'it has no test',
    })
  })
})
test('a line is covered when any suite ran it', () => {
  const files = new Map<string, Map<number, number>>()
  mergeLcov(`SF:${ROOT}packages/a.ts\nDA:1,1\nDA:2,0\nend_of_record\n`, files)
  mergeLcov('SF:packages/a.ts\nDA:2,3\nDA:3,0\nend_of_record\nSF:packages/b.ts\nDA:1,0\nend_of_record\n', files)
  expect(Object.fromEntries([...files].map(([path, hits]) => [path, Object.fromEntries(hits)]))).toEqual({
    'packages/a.ts': { 1: 1, 2: 3, 3: 0 },
    'packages/b.ts': { 1: 0 },
  })
})
