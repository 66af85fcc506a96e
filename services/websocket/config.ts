import { list } from '@assay/core/kernel/config/values'
import { origin } from '@assay/core/kernel/cors'
import { z } from 'zod'

export const config = z.object({
  /** origins that a browser may connect from, besides the server's own */
  CORS_ORIGINS: list(origin()),
})
