import { toOpenAPISchema } from '@elysiajs/openapi'
import { type AnyElysia, Elysia } from 'elysia'
import { z } from 'zod'
import { ERRORS } from '../contracts/errors.ts'
import { MODELS } from '../contracts/wire/models.ts'
import { hoist } from './openapi-models.ts'
import type { Problem } from './problem.ts'
import { VERSION } from './version.ts'

const OPENAPI = '3.1.2'
const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'RFC 9457 problem details',
  required: ['type', 'title', 'status', 'detail', 'instance', 'request_id', 'code'],
  properties: {
    type: { type: 'string', description: 'urn:assay:error:<code>' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    request_id: { type: 'string' },
    code: { type: 'string', enum: Object.keys(ERRORS) },
    field: { type: 'string', description: 'The first field that is not valid' },
    nearest: { type: 'string', description: 'What was perhaps meant' },
    retryable: {
      type: 'boolean',
      description: 'The same request may succeed later; its client_order_id is not used up',
    },
    order: {
      type: 'string',
      description: 'outcome_unknown: under this name the order is found, if it was taken',
    },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'detail'],
        properties: { field: { type: 'string' }, detail: { type: 'string' } },
      },
    },
  } satisfies Record<keyof Problem, object>,
}
const PROBLEM_RESPONSE = {
  description: 'An error',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

type Said = { content?: Record<string, { schema?: unknown }> }
type Operation = { responses?: Record<string, Said> }
type Named = { requestBody?: Said; responses?: Record<string, Said> }
type Paths = Record<string, Record<string, Operation>>

/** The OpenAPI 3.1 document of every route of the app, in a stable order: it is checked in. */
export function openApiDocument(app: AnyElysia): Record<string, unknown> {
  const { paths, components } = pathsOf(app)
  const { document, schemas } = hoist(withProblems(allowNulls(paths) as Paths), namedSchemas())
  return {
    openapi: OPENAPI,
    info: {
      title: 'Assay',
      version: VERSION,
      description: 'Proprietary-trading assessments: market data, orders, rules, verdicts that can be checked.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{}, { bearer: [] }, { apiKey: [] }],
    paths: document,
    components: {
      schemas: { ...components.schemas, ...schemas, Problem: PROBLEM_SCHEMA },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      },
    },
  }
}

const toJsonSchema = (schema: z.ZodType, { io }: { io?: 'input' | 'output' } = {}) =>
  z.toJSONSchema(schema, { io: io ?? 'input', unrepresentable: 'any' })

/** As the wire schemas are answered, and as they are sent where that is another shape: in the generator's own words. */
function namedSchemas(): Record<string, unknown> {
  const app = new Elysia()
  for (const [name, schema] of Object.entries(MODELS))
    app.post(`/${name}`, () => null, { body: schema, response: { 200: schema } })
  const paths = allowNulls(pathsOf(app).paths) as Record<string, { post: Named }>
  const all = Object.keys(MODELS).map((name) => [name, paths[`/${name}`]!.post] as const)
  const schemas = [
    ...all.map(([name, { responses }]) => [name, schemaOf(responses?.['200'])] as const),
    ...all.map(([name, { requestBody }]) => [`${name}Input`, schemaOf(requestBody)] as const),
  ]
  return Object.fromEntries(schemas.filter(([, schema]) => schema !== undefined))
}
const schemaOf = (said: Said | undefined): unknown => said?.content?.['application/json']?.schema
const pathsOf = (app: AnyElysia) =>
  toOpenAPISchema(app, { staticFile: false }, undefined, { zod: toJsonSchema }, OPENAPI)

/** The generator says `type: [string, null]` of a nullable enum and leaves null out of its values: nothing would fit null. */
function allowNulls(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(allowNulls)
  if (typeof node !== 'object' || node === null) return node
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, allowNulls(value)]))
  const { type, enum: values } = copy
  const forgets = Array.isArray(type) && type.includes('null') && Array.isArray(values) && !values.includes(null)
  return forgets ? { ...copy, enum: [...values, null] } : copy
}

/** Every operation may answer a problem; paths in alphabetical order. */
function withProblems(paths: Paths): Paths {
  const sorted: Paths = {}
  for (const path of Object.keys(paths).sort()) {
    sorted[path] = {}
    for (const [method, operation] of Object.entries(paths[path]!)) {
      const responses = Object.fromEntries(
        Object.entries(operation.responses ?? {}).map(([status, response]) => [
          status,
          Number(status) >= 400 ? orProblem(response) : response,
        ]),
      )
      sorted[path][method] = { ...operation, responses: { ...responses, default: PROBLEM_RESPONSE } }
    }
  }
  return sorted
}
/** A refusal in a form of its own (OAuth's): what fails before its route is reached is a problem under the same status. */
const orProblem = (response: Said): Said => ({
  ...response,
  content: { ...response.content, ...PROBLEM_RESPONSE.content },
})
