import { existsSync, readFileSync } from 'node:fs'
import { ROOT } from '../root.ts'
import { REQUIREMENTS } from './asvs.ts'
import type { Gate } from './gate.ts'

const HEADER = 'id,level,decision,code,test'
const DECISIONS = ['met', 'not-applicable', 'open']

export interface SecurityFiles {
  csv: string
  page: string
  /** null: there is no such file */
  read(path: string): string | null
}

/**
 * docs/security.csv decides every requirement of ASVS 5.0.0, levels 1 and 2: what is met names code that is there and a
 * test whose title holds the id. docs/security.md says of each the same decision, and why.
 */
export const security: Gate = {
  name: 'security',
  async check() {
    const read = (path: string) => (existsSync(ROOT + path) ? readFileSync(ROOT + path, 'utf8') : null)
    return checkSecurity({ csv: read('docs/security.csv') ?? '', page: read('docs/security.md') ?? '', read })
  },
}

export function checkSecurity({ csv, page, read }: SecurityFiles): string[] {
  const [header, ...lines] = csv.trimEnd().split('\n')
  if (header !== HEADER) return [`docs/security.csv: its first line is ${HEADER}`]
  const rows = lines.map((line) => line.split(','))
  const problems: string[] = []
  const said = new Map(
    [...page.matchAll(/^\| (V[\d.]+) \| (\d) \| ([\w-]+) \| (.*) \|$/gm)].map(([, id, level, decision, why]) => [
      id!,
      { level: level!, decision: decision!, why: why! },
    ]),
  )
  const wanted = REQUIREMENTS.map(({ id }) => id)
  if (rows.map(([id]) => id).join() !== wanted.join()) {
    const ids = new Set(rows.map(([id]) => id))
    problems.push(...wanted.filter((id) => !ids.has(id)).map((id) => `docs/security.csv lacks ${id}`))
    problems.push('docs/security.csv: each requirement of levels 1 and 2 stands there once, in order')
  }
  for (const [id = '', level = '', decision = '', code = '', test = '', ...more] of rows) {
    const refuse = (reason: string) => problems.push(`docs/security.csv ${id}: ${reason}`)
    const required = REQUIREMENTS.find((one) => one.id === id)
    if (more.length > 0) refuse('has five columns')
    if (String(required?.level) !== level) refuse(`is of level ${required?.level}`)
    if (!DECISIONS.includes(decision)) refuse(`is decided as one of ${DECISIONS.join(', ')}`)
    const told = said.get(id)
    if (told?.decision !== decision || told.level !== level || told.why.trim() === '')
      refuse('stands in docs/security.md with this level and decision, and why')
    if (decision !== 'met') {
      if (code !== '' || test !== '') refuse('names code and test only when it is met')
      continue
    }
    if (code === '' || read(code) === null) refuse(`names code that is there, not "${code}"`)
    const source = test.endsWith('.test.ts') ? read(test) : null
    if (source === null) refuse(`names a test that is there, not "${test}"`)
    else if (!titlesOf(source).some((title) => holds(title, id))) refuse(`no title in ${test} holds it`)
  }
  for (const id of said.keys())
    if (!wanted.includes(id)) problems.push(`docs/security.md: ${id} is none of level 1 or 2`)
  return problems
}

/** What tests and their groups are called, where it is written out. */
export const titlesOf = (source: string): string[] =>
  [...source.matchAll(/(?:\b(?:test|describe)(?:\.\w+)*\(|\)\()\s*(['"`])((?:\\.|(?!\1)[\s\S])*?)\1/g)].map(
    ([, , title]) => title!,
  )

/** V1.2.1 is not in V1.2.10, nor in V11.2.1. */
const holds = (title: string, id: string): boolean =>
  new RegExp(`(?<![\\w.])${id.replaceAll('.', '\\.')}(?![\\d]|\\.\\d)`).test(title)
