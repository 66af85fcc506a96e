import { AssayError } from '@assay/core/contracts/errors'
import { readPersonal } from '@assay/core/kernel/personal-data'
import type { Db } from '@assay/core/ports/db/port'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { TRADING_TABLES } from '../privacy/tables.ts'

/** What the gateway asks for the export of a user's data; the edge lets nobody else in. */
export const privacyRoutes = (db: Db) =>
  new Elysia({ name: 'trading.privacy' })
    .get(
      '/internal/privacy',
      () => Response.json({ tables: TRADING_TABLES.map(({ table, why }) => ({ table, why })) }),
      {
        detail: { hide: true, operationId: 'listTradingPersonal' },
      },
    )
    .get(
      '/internal/privacy/:user',
      async ({ params, query }) => {
        const table = TRADING_TABLES.find((one) => one.table === query.table)
        if (!table) throw new AssayError('not_found', 'There is no such table.')
        return Response.json(await readPersonal(db, table, { userId: params.user, after: query.cursor ?? null }))
      },
      {
        params: z.object({ user: z.string().max(100) }),
        query: z.object({ table: z.string().max(100), cursor: z.string().max(2_000).optional() }),
        detail: { hide: true, operationId: 'readTradingPersonal' },
      },
    )
