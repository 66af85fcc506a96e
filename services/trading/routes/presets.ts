import { PageQuery, pageOf } from '@assay/core/contracts/wire/page'
import { PresetResource, PresetSummary } from '@assay/core/contracts/wire/preset'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { depsFor } from '../access.ts'
import type { TradingDeps } from '../deps.ts'
import { getPreset } from '../presets/get-preset.ts'
import { listPresets } from '../presets/list-presets.ts'

const tags = ['presets']

export const presetRoutes = (deps: TradingDeps) =>
  new Elysia({ name: 'trading.presets' })
    .use(withCtx)
    .get('/api/presets', ({ ctx, query }) => listPresets({ ctx, input: query, deps: depsFor(deps, ctx) }), {
      mapResponse: etag,
      query: PageQuery.extend({ firm: z.string().max(120).optional() }),
      response: { 200: pageOf(PresetSummary) },
      detail: { operationId: 'listPresets', tags, summary: 'Rule sets of known programs, with sources' },
    })
    .get('/api/presets/:id', ({ ctx, params }) => getPreset({ ctx, input: params, deps: depsFor(deps, ctx) }), {
      params: z.object({ id: z.string() }),
      response: { 200: PresetResource },
      detail: { operationId: 'getPreset', tags, summary: 'One preset: each parameter with source and confidence' },
    })
