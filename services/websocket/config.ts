import { z } from 'zod'

export const config = z.object({
  /** comma-separated origins a browser may connect from, besides the server's own */
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform((list) =>
      list
        .split(',')
        .map((origin) => origin.trim())
        .filter(Boolean),
    ),
})
export type Config = z.infer<typeof config>
