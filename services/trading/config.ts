import { z } from 'zod'

export const config = z.object({
  /** market-data's variable: a replay is as far behind the wall clock as its recording is old */
  FEEDS: z.string().default('sim'),
})
export type Config = z.infer<typeof config>
