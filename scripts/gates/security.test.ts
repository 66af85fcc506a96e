import { describe, expect, test } from 'bun:test'
import { REQUIREMENTS } from './asvs.ts'
import { checkSecurity, titlesOf } from './security.ts'

const met = 'V1.2.1'
const base = () => {
  const rows = REQUIREMENTS.map(({ id, level }) =>
    id === met ? `${id},${level},met,a.ts,a.test.ts` : `${id},${level},open,,`,
  )
  const page = REQUIREMENTS.map(({ id, level }) => `| ${id} | ${level} | ${id === met ? 'met' : 'open'} | why |`)
  return { rows, page, titles: `test('it holds (${met})', () => {})` }
}
function check(change: (files: ReturnType<typeof base>) => void) {
  const files = base()
  change(files)
  const there: Record<string, string> = { 'a.ts': '', 'a.test.ts': files.titles, 'a.txt': '' }
  return checkSecurity({
    csv: ['id,level,decision,code,test', ...files.rows, ''].join('\n'),
    page: files.page.join('\n'),
    read: (path) => there[path] ?? null,
  })
}
const at = REQUIREMENTS.findIndex(({ id }) => id === met)

test('ASVS 5.0.0 has 70 requirements of level 1 and 183 of level 2', () => {
  const of = (level: number) => REQUIREMENTS.filter((one) => one.level === level).length
  expect([of(1), of(2), new Set(REQUIREMENTS.map(({ id }) => id)).size]).toEqual([70, 183, 253])
})
describe('the table of decisions', () => {
  test('passes when each is decided, and what is met is proved', () => expect(check(() => {})).toEqual([]))
  test.each<[string, (files: ReturnType<typeof base>) => void]>([
    ['a row is missing', ({ rows }) => rows.splice(7, 1)],
    ['a row stands twice', ({ rows }) => rows.splice(7, 0, rows[7]!)],
    ['a level is wrong', ({ rows }) => rows.splice(at, 1, `${met},2,met,a.ts,a.test.ts`)],
    ['a decision is none', ({ rows }) => rows.splice(at, 1, `${met},1,partly,,`)],
    ['the code is not there', ({ rows }) => rows.splice(at, 1, `${met},1,met,b.ts,a.test.ts`)],
    ['the test is not there', ({ rows }) => rows.splice(at, 1, `${met},1,met,a.ts,b.test.ts`)],
    ['the test is no test', ({ rows }) => rows.splice(at, 1, `${met},1,met,a.ts,a.txt`)],
    ['what is open names a test', ({ rows }) => rows.splice(0, 1, 'V1.1.1,2,open,,a.test.ts')],
    ['the page decides otherwise', ({ page }) => page.splice(at, 1, `| ${met} | 1 | open | why |`)],
    ['the page says nothing', ({ page }) => page.splice(at, 1)],
    ['the page says no reason', ({ page }) => page.splice(at, 1, `| ${met} | 1 | met |  |`)],
    ['the page knows one more', ({ page }) => page.push('| V1.2.10 | 3 | open | why |')],
    ['no title holds the id', (files) => (files.titles = "test('another', () => {}) // V1.2.1")],
    ['only a longer id is held', (files) => (files.titles = "test('another (V1.2.10, V11.2.1, V1.2.1.1)', () => {})")],
  ])('fails when %s', (_, change) => expect(check(change)).not.toEqual([]))
})
test('titles are found in every form that tests have', () => {
  const source = `
    describe('a group (V1.1.1)', () => {
    test("it's one (V1.1.2)", () => {})
    test.each([['x', 1]])('%s of many (V1.1.3)', () => {})
    test(
      \`a long one\`,
    )
    expect('V9.9.9')`
  expect(titlesOf(source)).toEqual(['a group (V1.1.1)', "it's one (V1.1.2)", '%s of many (V1.1.3)', 'a long one'])
})
