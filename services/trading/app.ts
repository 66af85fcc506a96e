import { Elysia } from 'elysia'
import type { ProofDeps } from './proof/make-proof.ts'
import { accountRoutes } from './routes/accounts.ts'
import { assessmentRoutes } from './routes/assessments.ts'
import { calendarRoutes } from './routes/calendars.ts'
import { instrumentRoutes } from './routes/instruments.ts'
import { orderRoutes } from './routes/orders.ts'
import { presetRoutes } from './routes/presets.ts'
import { proofRoutes } from './routes/proof.ts'
import { purchaseRoutes } from './routes/purchases.ts'
import { tierRoutes } from './routes/tiers.ts'

/** All REST of trading. */
export const tradingApp = (deps: ProofDeps) =>
  new Elysia({ name: 'trading' })
    .use(tierRoutes(deps.trading))
    .use(purchaseRoutes(deps.trading))
    .use(assessmentRoutes(deps.trading))
    .use(accountRoutes(deps.trading))
    .use(orderRoutes(deps.trading))
    .use(instrumentRoutes(deps.trading))
    .use(calendarRoutes(deps.trading))
    .use(presetRoutes(deps.trading))
    .use(proofRoutes(deps))
