import { keysSchema } from '@assay/core/domain/proof/archive'
import type { Ctx } from '@assay/core/kernel/context'
import { withCtx } from '@assay/core/kernel/edge'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { depsFor } from '../access.ts'
import { explainAssessment } from '../proof/explain-assessment.ts'
import { getProof } from '../proof/get-proof.ts'
import type { ProofDeps } from '../proof/make-proof.ts'
import { ExplainedResource } from '../proof/schemas.ts'

const tags = ['proof']
const params = z.object({ id: z.string() })

export const proofRoutes = (deps: ProofDeps) => {
  const forCaller = (ctx: Ctx) => ({ ...deps, trading: depsFor(deps.trading, ctx) })
  return new Elysia({ name: 'trading.proof' })
    .use(withCtx)
    .get(
      '/api/assessments/:id/proof',
      async ({ ctx, params, request }) => {
        const answer = await getProof({
          ctx,
          input: { ...params, ifNoneMatch: request.headers.get('if-none-match') },
          deps: forCaller(ctx),
        })
        if (answer.kind === 'later') {
          return Response.json(
            { status: 'sealing' },
            { status: 202, headers: { 'retry-after': String(answer.retryAfterS) } },
          )
        }
        const headers = { etag: answer.etag, 'cache-control': 'private, no-cache' }
        if (answer.kind === 'same') return new Response(null, { status: 304, headers })
        const disposition = `attachment; filename="${params.id}.proof"`
        return new Response(answer.bytes as BodyInit, {
          headers: { ...headers, 'content-type': 'application/zip', 'content-disposition': disposition },
        })
      },
      {
        params,
        detail: {
          operationId: 'getProof',
          tags,
          summary: 'The proof archive (docs/proof-format.md)',
          responses: {
            200: {
              description: 'The archive',
              content: { 'application/zip': { schema: { type: 'string', format: 'binary' } } },
            },
            202: {
              description: 'The log is not sealed behind the verdict yet; Retry-After says when to ask again',
              content: {
                'application/json': {
                  schema: {
                    type: 'object',
                    required: ['status'],
                    properties: { status: { type: 'string', enum: ['sealing'] } },
                  },
                },
              },
            },
            304: { description: 'The archive with this ETag is still the newest' },
          },
        },
      },
    )
    .get(
      '/api/assessments/:id/explain',
      ({ ctx, params, query }) => explainAssessment({ ctx, input: { ...params, ...query }, deps: forCaller(ctx) }),
      {
        params,
        query: z.object({ at: z.string().max(40).optional() }),
        response: { 200: ExplainedResource },
        detail: {
          operationId: 'explainAssessment',
          tags,
          summary: 'Marks, equity line by line and floors at a place; default the verdict',
        },
      },
    )
    .get('/.well-known/assay-journal-keys.json', () => deps.keys.document(), {
      response: { 200: keysSchema },
      detail: { operationId: 'getJournalKeys', tags, summary: 'Public keys that sign journals' },
    })
}
