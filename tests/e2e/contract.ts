import { readFileSync } from 'node:fs'
import Ajv2020 from 'ajv/dist/2020'
import addFormats from 'ajv-formats'

const FILE = new URL('../../openapi/assay.json', import.meta.url)
const DOCUMENT = 'assay'

interface Operation {
  responses: Record<string, { content?: Record<string, unknown> }>
}
interface Document {
  paths: Record<string, Record<string, Operation>>
}
export interface Seen {
  method: string
  /** without the query */
  path: string
  status: number
  contentType: string | null
  body: unknown
}
/** The OpenAPI document as the judge of answers: what it does not promise is an error here. */
export interface Contract {
  document: Document
  /** Throws when this answer is not what the document says. Paths that it does not list may only be 404 or 405. */
  judge(seen: Seen): void
  /** `GET /api/tiers/{id}` -> the statuses that were seen */
  statuses: ReadonlyMap<string, ReadonlySet<number>>
}

export function openContract(): Contract {
  const document = JSON.parse(readFileSync(FILE, 'utf8')) as Document
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(document, DOCUMENT)
  const templates = Object.keys(document.paths).map((path) => ({ path, pattern: patternOf(path) }))
  const statuses = new Map<string, Set<number>>()

  function operationOf({ method, path }: Seen): string | undefined {
    const fits = templates.filter(
      ({ path: template, pattern }) => pattern.test(path) && document.paths[template]?.[method.toLowerCase()],
    )
    // `/api/x/{id}` fits what `/api/x/y` names
    return fits.sort((a, b) => a.path.split('{').length - b.path.split('{').length)[0]?.path
  }

  function judge(seen: Seen): void {
    const { method, status, contentType, body } = seen
    const template = operationOf(seen)
    const type = contentType?.split(';')[0] ?? null
    if (!template) {
      if (status !== 404 && status !== 405)
        throw new Error(`${method} ${seen.path} is not in the document and answers ${status}`)
      check(problemOf(document), { seen, type, body })
      return
    }
    const name = `${method} ${template}`
    statuses.set(name, (statuses.get(name) ?? new Set()).add(status))
    const { responses } = document.paths[template]![method.toLowerCase()]!
    const key = responses[status] ? String(status) : 'default'
    if (key === 'default' && status < 400)
      throw new Error(`${name} answers ${status}, which the document does not list`)
    check(['paths', template, method.toLowerCase(), 'responses', key], { seen, type, body })
  }

  /** `body` against the schema that the response at `pointer` has for its content type. */
  function check(pointer: string[], { seen, type, body }: { seen: Seen; type: string | null; body: unknown }): void {
    const at = `${seen.method} ${seen.path} ${seen.status}`
    const content = (follow(document, pointer) as { content?: Record<string, { schema?: unknown }> }).content
    if (!content) return
    if (type === null || !content[type]) throw new Error(`${at} is ${type}, the document says ${Object.keys(content)}`)
    if (type !== 'application/json' && type !== 'application/problem+json') return
    const fragment = [...pointer, 'content', type, 'schema'].map(escapeToken).join('/')
    const validate = ajv.getSchema(`${DOCUMENT}#/${fragment}`)
    if (!validate) throw new Error(`${at}: no schema at ${fragment}`)
    if (!validate(body)) throw new Error(`${at}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(body)}`)
    if (type === 'application/problem+json' && (body as { status: number }).status !== seen.status)
      throw new Error(`${at}: its body says ${(body as { status: number }).status}`)
  }
  return { document, judge, statuses }
}

/** Every operation has the problem as its default response. */
function problemOf({ paths }: Document): string[] {
  const [path, operations] = Object.entries(paths)[0]!
  return ['paths', path, Object.keys(operations)[0]!, 'responses', 'default']
}
const follow = (from: unknown, pointer: string[]): unknown =>
  pointer.reduce<unknown>((at, token) => (at as Record<string, unknown>)[token], from)
const escapeToken = (token: string): string => encodeURIComponent(token.replaceAll('~', '~0').replaceAll('/', '~1'))
const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replace(/[.]/g, '\\$&').replace(/\{[^}]+\}/g, '[^/]+')}$`)
