import { expect, test } from 'bun:test'
import { gapsOf, parseAccess } from './table.ts'

const HEAD = 'route,needs,credential,object,anonymous,trader,bot,operator,admin,house,agent,house_agent,pin,service'
const parse = (...lines: string[]) => parseAccess([HEAD, ...lines].join('\n'))
const READ = [
  'GET /api/things/{id},trading:read,with,own,401,200,200,200,200,200,200,200,-,401',
  'GET /api/things/{id},trading:read,with,user|tenant,401,404,404,404,404,200,404,404,-,401',
  'GET /api/things/{id},trading:read,without,own|user|tenant,401,403,403,403,403,403,403,403,403,401',
]
const ROUTE = 'GET /api/things/{id}'

test('a table that says all of a route has no gap', () => {
  const { rows, problems } = parse('# a remark', ...READ)
  expect([problems, rows.length, gapsOf(rows, [ROUTE])]).toEqual([[], 6, []])
})
test('a route without a row is a gap, and a row of a route that is not served', () => {
  const { rows } = parse(...READ)
  expect(gapsOf(rows, [ROUTE, 'POST /api/things'])).toEqual(['POST /api/things: no row in docs/access.csv'])
  expect(gapsOf(rows, [])).toEqual([`docs/access.csv: ${ROUTE} is not served`])
})
test('whose object it is, and the credential without the scope, may not be left out', () => {
  const gaps = (...lines: string[]) => gapsOf(parse(...lines).rows, [ROUTE]).map((gap) => gap.split(': ').at(-1))
  expect(gaps(READ[0]!, READ[2]!)).toEqual([
    'no row with the scope, object user',
    'no row with the scope, object tenant',
  ])
  expect(gaps(READ[0]!, READ[1]!).slice(0, 3)).toEqual(
    ['own', 'user', 'tenant'].map((object) => `no row without the scope, object ${object}`),
  )
  expect(gaps(...READ, READ[0]!)).toEqual(['lines 2, 5 both say with the scope, object own'])
})
test('a caller of whom nothing is said is a gap', () => {
  const shared = 'GET /api/things/{id},-,-,shared,200,200,200,200,200,200,200,200,-,200'
  expect(gapsOf(parse(shared).rows, [ROUTE])).toEqual([
    `docs/access.csv: ${ROUTE}: nothing is said of pin, object shared`,
  ])
})
test('what is no row is refused by line', () => {
  const problem = (line: string) => parse(line).problems[0]
  expect(problem('GET /x,-,-,none,200')).toBe('docs/access.csv:2: 5 cells, not 14')
  expect(problem(READ[0]!.replace('trading:read', 'trading:all'))).toContain('trading:all is no scope')
  expect(problem(READ[0]!.replace('with,', '-,'))).toContain('credential -')
  expect(problem(READ[0]!.replace('own', 'mine'))).toContain('object mine')
  expect(problem(READ[0]!.replace('401,', 'x,'))).toContain('anonymous gets no status')
  expect(problem(READ[2]!.replace('403', '200'))).toContain('trader without the scope gets 200')
})
