import { size } from '@assay/core/kernel/config/values'
import { z } from 'zod'
import { parseFeed } from './feeds/parse-feed.ts'

export const config = z.object({
  FEEDS: z
    .string()
    .default('sim')
    .transform((text, ctx) => {
      try {
        return parseFeed(text)
      } catch (error) {
        ctx.addIssue((error as Error).message)
        return z.NEVER
      }
    }),
  SIM_SEED: z.string().default('assay'),
  SIM_TICK_MS: z.coerce.number().int().min(1).max(60_000).default(500),
  MARKET_LOG_MAX_BYTES: size('20 GiB'),
})
