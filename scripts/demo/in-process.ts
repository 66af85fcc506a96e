import type { Deps, Service } from '@assay/core/kernel/service'
import { Elysia } from 'elysia'
import { z } from 'zod'

/** A driver of the demo's own instance: a service without routes, for a lockstep driver must stand beside the log. */
export function driverService(): { service: Service; deps: () => Deps } {
  let seen: Deps | undefined
  return {
    service: {
      name: 'demo',
      config: z.object({}),
      create(deps) {
        seen = deps as Deps
        // joined before the feed starts: the first event waits for nobody, the second for the driver
        return { app: new Elysia({ name: 'demo' }) }
      },
    },
    deps() {
      if (!seen) throw new Error('the platform has not been composed')
      return seen
    },
  }
}
