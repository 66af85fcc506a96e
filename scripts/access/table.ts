import { SCOPES } from '@assay/core/contracts/scopes'
import { SERVICES } from '@assay/core/contracts/services'
import { ROOT } from '../root.ts'

export const ACCESS_TABLE = 'docs/access.csv'
/** Who asks. `house`: an operator of the tenant `default`; agents: programs with an OAuth token of the trader, of the house's operator. */
export const CALLERS = [
  'anonymous',
  'trader',
  'bot',
  'operator',
  'admin',
  'house',
  'agent',
  'house_agent',
  'pin',
  'service',
] as const
export type Caller = (typeof CALLERS)[number]
/** Whose the object is: the caller's, another user's of the tenant, another tenant's; everybody's; there is none. */
export const OBJECTS = ['own', 'user', 'tenant', 'shared', 'none'] as const
export type ObjectOf = (typeof OBJECTS)[number]
const WHOSE: readonly ObjectOf[] = ['own', 'user', 'tenant']

export interface AccessRow {
  line: number
  /** `GET /api/assessments/{id}`, `SUBSCRIBE assessment:{key}` */
  route: string
  /** the scope; `any` credential; `-`: it is public */
  needs: string
  /** with the scope or with all of the role's but that; `-` where no scope is needed */
  credential: 'with' | 'without' | '-'
  object: ObjectOf
  /** null: there is no such caller */
  status: Readonly<Record<Caller, number | null>>
}
export interface AccessTable {
  rows: AccessRow[]
  problems: string[]
}

const COLUMNS = ['route', 'needs', 'credential', 'object', ...CALLERS]

/** A line with `own|user` is a row for each. */
export function parseAccess(text: string): AccessTable {
  const rows: AccessRow[] = []
  const problems: string[] = []
  const [head, ...lines] = text.split('\n')
  if (head !== COLUMNS.join(',')) problems.push(`${ACCESS_TABLE}:1: the columns are ${COLUMNS.join(',')}`)
  for (const [at, text] of lines.entries()) {
    if (text === '' || text.startsWith('#')) continue
    const line = at + 2
    const cells = text.split(',')
    const [route = '', needs = '', credential = '', objects = '', ...cellsOf] = cells
    const status = Object.fromEntries(
      CALLERS.map((caller, n) => [caller, cellsOf[n] === '-' ? null : Number(cellsOf[n])]),
    ) as AccessRow['status']
    const wrong = wrongIn({ cells, route, needs, credential, objects: objects.split('|'), status })
    if (wrong) problems.push(`${ACCESS_TABLE}:${line}: ${wrong}`)
    else
      for (const object of objects.split('|'))
        rows.push({ line, route, needs, credential: credential as 'with', object: object as ObjectOf, status })
  }
  return { rows, problems }
}

interface Parts {
  cells: string[]
  route: string
  needs: string
  credential: string
  objects: string[]
  status: AccessRow['status']
}
function wrongIn({ cells, route, needs, credential, objects, status }: Parts): string | undefined {
  const hasScope = (SCOPES as readonly string[]).includes(needs)
  if (cells.length !== COLUMNS.length) return `${cells.length} cells, not ${COLUMNS.length}`
  if (!/^((GET|POST|PUT|PATCH|DELETE) \/|SUBSCRIBE \w+:)/.test(route)) return `${route} is no route`
  if (!hasScope && needs !== 'any' && needs !== '-') return `${needs} is no scope, nor any, nor -`
  if (!(hasScope ? ['with', 'without'] : ['-']).includes(credential)) return `credential ${credential}`
  const strange = objects.find((object) => !(OBJECTS as readonly string[]).includes(object))
  if (strange !== undefined) return `object ${strange}`
  const wrong = CALLERS.find((caller) => status[caller] !== null && !isStatus(status[caller]))
  if (wrong) return `${wrong} gets no status`
  const granted = CALLERS.find((caller) => credential === 'without' && ![null, 401, 403].includes(status[caller]))
  if (granted) return `${granted} without the scope gets ${status[granted]}`
  return undefined
}
const isStatus = (status: number): boolean => Number.isInteger(status) && status >= 200 && status < 500

export const readAccess = async (): Promise<AccessTable> => parseAccess(await Bun.file(ROOT + ACCESS_TABLE).text())

/** What the table leaves open of these routes, and what it says of others. */
export function gapsOf(rows: readonly AccessRow[], served: readonly string[]): string[] {
  const gaps: string[] = []
  for (const route of new Set(rows.map((row) => row.route)))
    if (!served.includes(route)) gaps.push(`${ACCESS_TABLE}: ${route} is not served`)
  for (const route of served) {
    const its = rows.filter((row) => row.route === route)
    if (its.length === 0) gaps.push(`${route}: no row in ${ACCESS_TABLE}`)
    else gaps.push(...gapsOfRoute(route, its).map((gap) => `${ACCESS_TABLE}: ${route}: ${gap}`))
  }
  return gaps
}

function gapsOfRoute(route: string, rows: readonly AccessRow[]): string[] {
  const gaps: string[] = []
  if (new Set(rows.map(({ needs }) => needs)).size > 1) gaps.push('it needs several scopes')
  const credentials = rows[0]!.credential === '-' ? (['-'] as const) : (['with', 'without'] as const)
  const objects = new Set(rows.map(({ object }) => object))
  const hasOwner = route.includes('{') && !objects.has('shared')
  const wanted = hasOwner ? [...new Set([...WHOSE, ...objects])] : [...objects]
  for (const credential of credentials) {
    for (const object of wanted) {
      const found = rows.filter((row) => row.credential === credential && row.object === object)
      const named = `${credential === '-' ? '' : `${credential} the scope, `}object ${object}`
      if (found.length === 0) gaps.push(`no row ${named}`)
      if (found.length > 1) gaps.push(`lines ${found.map(({ line }) => line).join(', ')} both say ${named}`)
    }
  }
  for (const caller of CALLERS)
    for (const object of objects)
      if (rows.every((row) => row.object !== object || row.status[caller] === null))
        gaps.push(`nothing is said of ${caller}, object ${object}`)
  return gaps
}

interface Document {
  paths: Record<string, Record<string, unknown>>
}
/** The routes of openapi/assay.json and the WebSocket's channels, as the table writes them. */
export async function servedRoutes(): Promise<string[]> {
  const { paths } = (await Bun.file(`${ROOT}openapi/assay.json`).json()) as Document
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const channels = SERVICES.flatMap(({ channels = [] }) => channels)
  return [...routes, ...channels.map((channel) => `SUBSCRIBE ${channel}:{key}`)]
}
