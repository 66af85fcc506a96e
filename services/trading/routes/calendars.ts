import { CalendarName, CalendarRequest, CalendarResource } from '@assay/core/contracts/wire/calendar'
import { PageQuery, pageOf } from '@assay/core/contracts/wire/page'
import { requireScope } from '@assay/core/kernel/auth'
import { withCtx } from '@assay/core/kernel/edge'
import { etag } from '@assay/core/kernel/etag'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { depsFor } from '../access.ts'
import { listCalendars } from '../calendars/list-calendars.ts'
import { putCalendar } from '../calendars/put-calendar.ts'
import type { TradingDeps } from '../deps.ts'
import { IfMatchHeaders, ifMatchOf, tagOf } from '../if-match.ts'

const tags = ['calendars']

export const calendarRoutes = (deps: TradingDeps) =>
  new Elysia({ name: 'trading.calendars' })
    .use(withCtx)
    .get('/api/calendars', ({ ctx, query }) => listCalendars({ ctx, input: query, deps: depsFor(deps, ctx) }), {
      mapResponse: etag,
      query: PageQuery.extend({ kind: z.enum(['sessions', 'holidays', 'news']).optional() }),
      response: { 200: pageOf(CalendarResource) },
      detail: { operationId: 'listCalendars', tags, summary: 'News, sessions and holidays in force' },
    })
    .put(
      '/api/calendars/:name',
      async ({ ctx, params, body, headers, set }) => {
        const put = await putCalendar({
          ctx,
          input: { ...params, calendar: body, ...ifMatchOf(headers) },
          deps: depsFor(deps, ctx),
        })
        set.headers.etag = tagOf(put.hash)
        return put
      },
      {
        parse: 'json',
        params: z.object({ name: CalendarName }),
        transform: ({ ctx }) => void requireScope(ctx, 'ops:write'),
        headers: IfMatchHeaders,
        body: CalendarRequest,
        response: { 200: CalendarResource },
        detail: {
          operationId: 'putCalendar',
          tags,
          summary: 'Operators: the next version of a calendar; running assessments keep theirs',
        },
      },
    )
