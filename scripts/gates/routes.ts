import { ROOT } from '../root.ts'
import type { Gate } from './gate.ts'

type Document = { paths: Record<string, Record<string, { operationId?: string; tags?: string[]; responses?: object }>> }
/** Parameter names are free. */
const anonymous = (path: string): string => path.replace(/\{[^}]*\}/g, '{}')

/** openapi/assay.json lists exactly the routes of docs/routes.txt, each with an operation id, tags and a response. */
export const routes: Gate = {
  name: 'routes',
  async check() {
    const { paths } = (await Bun.file(`${ROOT}openapi/assay.json`).json()) as Document
    const served = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
    )
    const wanted = (await Bun.file(`${ROOT}docs/routes.txt`).text())
      .split('\n')
      .filter((line) => line && !line.startsWith('#'))
    const have = new Set(served.map(({ route }) => anonymous(route)))
    const want = new Set(wanted.map((line) => anonymous(line.trim().split(/\s+/).join(' '))))
    const ids = served.map(({ operation }) => operation.operationId)
    return [
      ...[...want].filter((route) => !have.has(route)).map((route) => `${route}: in docs/routes.txt, not served`),
      ...[...have].filter((route) => !want.has(route)).map((route) => `${route}: served, not in docs/routes.txt`),
      ...served
        .filter(({ operation }) => !operation.operationId || !operation.tags?.length)
        .map(({ route }) => `${route}: no operationId or tags`),
      ...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `operationId ${id} is used twice`),
    ]
  },
}
