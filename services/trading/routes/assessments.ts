import {
  AssessmentRequest,
  AssessmentResource,
  AssessmentStatus,
  TransitionResource,
} from '@assay/core/contracts/wire/assessment'
import { PageQuery, pageOf } from '@assay/core/contracts/wire/page'
import { requireActor } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { depsFor } from '../access.ts'
import { abandonAssessment } from '../assessments/abandon-assessment.ts'
import { createAssessment } from '../assessments/create-assessment.ts'
import { getAssessment } from '../assessments/get-assessment.ts'
import { listAssessments } from '../assessments/list-assessments.ts'
import { pauseAssessment } from '../assessments/pause-assessment.ts'
import { resumeAssessment } from '../assessments/resume-assessment.ts'
import { startAssessment } from '../assessments/start-assessment.ts'
import type { TradingDeps } from '../deps.ts'
import { IdempotencyHeaders } from './headers.ts'

const tags = ['assessments']
const params = z.object({ id: z.string() })

export const assessmentRoutes = (deps: TradingDeps) =>
  new Elysia({ name: 'trading.assessments' })
    .use(withCtx)
    .post(
      '/api/assessments',
      async ({ ctx, body, headers, set }) => {
        const assessment = await createAssessment({
          ctx,
          input: { ...body, key: headers['idempotency-key'] },
          deps: depsFor(deps, ctx),
        })
        set.status = 201
        return assessment
      },
      {
        parse: 'json',
        transform: ({ ctx }) => void requireActor(ctx),
        headers: IdempotencyHeaders,
        body: AssessmentRequest,
        response: { 201: AssessmentResource },
        detail: { operationId: 'createAssessment', tags, summary: 'The assessment of a paid purchase' },
      },
    )
    .get('/api/assessments', ({ ctx, query }) => listAssessments({ ctx, input: query, deps: depsFor(deps, ctx) }), {
      mapResponse: etag,
      query: PageQuery.extend({ status: AssessmentStatus.optional(), tier_id: z.string().optional() }),
      response: { 200: pageOf(AssessmentResource) },
      detail: { operationId: 'listAssessments', tags, summary: 'Own assessments; for operators the tenant’s' },
    })
    .get('/api/assessments/:id', ({ ctx, params }) => getAssessment({ ctx, input: params, deps: depsFor(deps, ctx) }), {
      params,
      response: { 200: AssessmentResource },
      detail: { operationId: 'getAssessment', tags, summary: 'One assessment with its phases' },
    })
    .post(
      '/api/assessments/:id/start',
      ({ ctx, params, headers }) =>
        startAssessment({ ctx, input: { ...params, key: headers['idempotency-key'] }, deps: depsFor(deps, ctx) }),
      {
        params,
        headers: IdempotencyHeaders,
        response: { 200: TransitionResource },
        detail: { operationId: 'startAssessment', tags, summary: 'Start the first phase' },
      },
    )
    .post(
      '/api/assessments/:id/pause',
      ({ ctx, params, headers }) =>
        pauseAssessment({ ctx, input: { ...params, key: headers['idempotency-key'] }, deps: depsFor(deps, ctx) }),
      {
        params,
        headers: IdempotencyHeaders,
        response: { 200: TransitionResource },
        detail: { operationId: 'pauseAssessment', tags, summary: 'Pause: flat accounts only, clocks stand still' },
      },
    )
    .post(
      '/api/assessments/:id/resume',
      ({ ctx, params, headers }) =>
        resumeAssessment({ ctx, input: { ...params, key: headers['idempotency-key'] }, deps: depsFor(deps, ctx) }),
      {
        params,
        headers: IdempotencyHeaders,
        response: { 200: TransitionResource },
        detail: { operationId: 'resumeAssessment', tags, summary: 'Go on after a pause' },
      },
    )
    .post(
      '/api/assessments/:id/abandon',
      ({ ctx, params, headers }) =>
        abandonAssessment({ ctx, input: { ...params, key: headers['idempotency-key'] }, deps: depsFor(deps, ctx) }),
      {
        params,
        headers: IdempotencyHeaders,
        response: { 200: TransitionResource },
        detail: { operationId: 'abandonAssessment', tags, summary: 'End it: orders cancelled, positions closed' },
      },
    )
