import { list } from '@assay/core/kernel/config-values'
import { z } from 'zod'

export const config = z.object({
  /** origins that a browser may connect from, besides the server's own */
  CORS_ORIGINS: list(z.url()),
})
