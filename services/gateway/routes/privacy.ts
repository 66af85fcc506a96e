import { requireActor } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { Elysia } from 'elysia'
import { eraseUser } from '../privacy/erase-user.ts'
import { type ExportDeps, exportData } from '../privacy/export-data.ts'
import { EraseBody, Erased, ExportQuery } from '../privacy/schemas.ts'

const tags = ['privacy']
const ZIP = { 'application/zip': { schema: { type: 'string' as const, format: 'binary' } } }

export const privacyRoutes = (deps: ExportDeps) =>
  new Elysia({ name: 'gateway.privacy' })
    .use(withCtx)
    .get(
      '/api/privacy/export',
      async ({ ctx, query }) =>
        new Response(await exportData({ ctx, input: query, deps }), {
          headers: {
            'content-type': 'application/zip',
            'content-disposition': 'attachment; filename="assay-export.zip"',
            'cache-control': 'no-store',
          },
        }),
      {
        query: ExportQuery,
        detail: {
          operationId: 'exportPersonalData',
          tags,
          summary: 'Everything about a user: a zip of JSON, a file for each table',
          responses: { 200: { description: 'OK', content: ZIP } },
        },
      },
    )
    .post('/api/privacy/erase', ({ ctx, body }) => eraseUser({ ctx, input: body, deps }), {
      parse: 'json',
      transform: ({ ctx }) => void requireActor(ctx),
      body: EraseBody,
      response: { 200: Erased },
      detail: { operationId: 'erasePersonalData', tags, summary: 'Erase a user for good; money and verdicts stay' },
    })
