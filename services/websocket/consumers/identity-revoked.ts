import { identityRevoked } from '@assay/core/contracts/topics/identity'
import type { Consumer } from '@assay/core/kernel/service'
import { closeConnections, type Hub } from '../push/hub.ts'

/** A session, key or user that was revoked loses its open connections. Every replica has connections: each is a group of its own. */
export const onIdentityRevoked = (hub: Hub, instance: string): Consumer => ({
  group: `websocket.${instance}`,
  topics: [identityRevoked],
  async handle({ envelope }) {
    const { what, id, user_id } = identityRevoked.schema.parse(envelope.data)
    if (what === 'heartbeat') return
    closeConnections(hub, 'revoked', ({ caller: { actor } }) => {
      if (what === 'session') return actor.sessionId === id
      if (what === 'key') return actor.keyId === id
      return actor.userId === user_id
    })
  },
})
