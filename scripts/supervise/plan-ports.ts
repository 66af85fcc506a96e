import { listenerAt } from '../stack/listeners.ts'
import { isFree } from '../stack/ports.ts'
import type { Planned } from './plan.ts'

/** The ports of the plan that another process has, in words; empty: all are free. */
export async function takenPorts(plan: readonly Planned[]): Promise<string[]> {
  const taken = await Promise.all(
    plan.flatMap(({ instance, url, env }) =>
      [...new Set([new URL(url).port, env.PORT ?? ''])].filter(Boolean).map(async (port) => {
        if (await isFree(Number(port))) return []
        return [`port ${port} of ${instance} is taken by ${listenerAt(Number(port)) ?? 'a connection'}`]
      }),
    ),
  )
  return taken.flat()
}
