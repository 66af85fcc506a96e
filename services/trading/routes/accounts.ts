import {
  AccountResource,
  EquityHistory,
  JournalItem,
  PositionList,
  RuleList,
  TradeResource,
  ViolationResource,
} from '@assay/core/contracts/wire/account'
import { PageQuery, pageOf } from '@assay/core/contracts/wire/page'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { depsFor } from '../access.ts'
import { equityHistory } from '../accounts/equity-history.ts'
import { getAccount } from '../accounts/get-account.ts'
import { listPositions } from '../accounts/list-positions.ts'
import { listRules } from '../accounts/list-rules.ts'
import { listTrades } from '../accounts/list-trades.ts'
import { listViolations } from '../accounts/list-violations.ts'
import { readJournal } from '../accounts/read-journal.ts'
import { RESOLUTION_NAMES } from '../accounts/resolution.ts'
import type { TradingDeps } from '../deps.ts'

const tags = ['accounts']
const params = z.object({ id: z.string() })
/** the phase in force when left out */
const phase = { phase: z.coerce.number().int().min(0).max(64).optional() }
const instant = z.iso.datetime({ offset: true }).optional()

export const accountRoutes = (deps: TradingDeps) =>
  new Elysia({ name: 'trading.accounts' })
    .use(withCtx)
    .get(
      '/api/assessments/:id/account',
      ({ ctx, params, query }) => getAccount({ ctx, input: { ...params, ...query }, deps: depsFor(deps, ctx) }),
      {
        params,
        query: z.object(phase),
        response: { 200: AccountResource },
        detail: { operationId: 'getAccount', tags, summary: 'Balance, equity and margin, live' },
      },
    )
    .get(
      '/api/assessments/:id/equity',
      ({ ctx, params, query }) => equityHistory({ ctx, input: { ...params, ...query }, deps: depsFor(deps, ctx) }),
      {
        params,
        query: z.object({ ...phase, from: instant, to: instant, resolution: z.enum(RESOLUTION_NAMES).optional() }),
        response: { 200: EquityHistory },
        detail: {
          operationId: 'getEquity',
          tags,
          summary: 'Balance and equity over time, exact, at most 1,000 points',
        },
      },
    )
    .get(
      '/api/assessments/:id/positions',
      ({ ctx, params, query }) => listPositions({ ctx, input: { ...params, ...query }, deps: depsFor(deps, ctx) }),
      {
        params,
        query: z.object(phase),
        response: { 200: PositionList },
        detail: { operationId: 'listPositions', tags, summary: 'Open positions, live' },
      },
    )
    .get(
      '/api/assessments/:id/rules',
      ({ ctx, params, query }) => listRules({ ctx, input: { ...params, ...query }, deps: depsFor(deps, ctx) }),
      {
        params,
        query: z.object(phase),
        response: { 200: RuleList },
        detail: { operationId: 'listRules', tags, summary: 'Every rule with its limit and what is left, live' },
      },
    )
    .get(
      '/api/assessments/:id/trades',
      ({ ctx, params, query }) => listTrades({ ctx, input: { ...params, ...query }, deps: depsFor(deps, ctx) }),
      {
        mapResponse: etag,
        params,
        query: PageQuery.extend({ ...phase, symbol: z.string().optional(), order: z.string().optional() }),
        response: { 200: pageOf(TradeResource) },
        detail: { operationId: 'listTrades', tags, summary: 'Fills, newest first' },
      },
    )
    .get(
      '/api/assessments/:id/violations',
      ({ ctx, params, query }) => listViolations({ ctx, input: { ...params, ...query }, deps: depsFor(deps, ctx) }),
      {
        mapResponse: etag,
        params,
        query: PageQuery.extend(phase),
        response: { 200: pageOf(ViolationResource) },
        detail: { operationId: 'listViolations', tags, summary: 'Violations, newest first' },
      },
    )
    .get(
      '/api/assessments/:id/journal',
      ({ ctx, params, query }) => readJournal({ ctx, input: { ...params, ...query }, deps: depsFor(deps, ctx) }),
      {
        mapResponse: etag,
        params,
        query: PageQuery.extend({ kind: z.string().optional() }),
        response: { 200: pageOf(JournalItem) },
        detail: { operationId: 'readJournal', tags, summary: 'The hash chain, record by record' },
      },
    )
