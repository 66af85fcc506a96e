import type { Service } from '@assay/core/kernel/service'
import { Elysia } from 'elysia'
import { config } from './config.ts'
import { onIdentityRevoked } from './consumers/identity-revoked.ts'
import { LIMITS } from './limits.ts'
import { closeConnections, createHub } from './push/hub.ts'
import { createRecheck } from './push/recheck.ts'
import { sweep } from './push/sweep.ts'
import { socketRoutes } from './routes/socket.ts'
import { ticketRoutes } from './routes/tickets.ts'

export const websocket: Service<typeof config> = {
  name: 'websocket',
  config,
  create(deps, lifecycle) {
    const hub = createHub(deps)
    const sweeping = setInterval(() => sweep(hub), LIMITS.sweepEveryMs)
    lifecycle.defer('websocket sweep', () => clearInterval(sweeping))
    const recheck = createRecheck(hub)
    const rechecking = setInterval(() => void recheck(), LIMITS.recheckEveryMs)
    lifecycle.defer('websocket recheck', () => clearInterval(rechecking))
    lifecycle.defer('websocket connections', () => {
      hub.draining = true
      closeConnections(hub, 'goingAway')
    })
    return {
      app: new Elysia({ name: 'websocket' })
        .use(ticketRoutes(deps.cache))
        .use(socketRoutes(hub, deps.cache, deps.config.CORS_ORIGINS)),
      consumers: [onIdentityRevoked(hub, deps.peers.instance)],
      health: () => {
        const away = deps.presence.away()
        return away === null ? {} : { degraded: [`websocket: each process counts its own connections: ${away}`] }
      },
      websocket: {
        maxPayloadLength: LIMITS.messageBytes,
        backpressureLimit: LIMITS.socketBytes,
        closeOnBackpressureLimit: true,
        idleTimeout: 120,
      },
    }
  },
}
