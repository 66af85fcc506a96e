import { identityRevoked } from '../contracts/topics/identity.ts'
import type { Bus } from '../ports/bus/port.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Peers } from './peers.ts'
import type { RevocableVerifier } from './verify-token.ts'

export interface RevocationsOptions {
  bus: Bus
  peers: Pick<Peers, 'instance'>
  lifecycle: Pick<Lifecycle, 'defer'>
}

/** What the gateway revokes is forgotten here too. Each process remembers for itself: each is a group of its own. */
export async function forgetRevoked(
  tokens: RevocableVerifier,
  { bus, peers, lifecycle }: RevocationsOptions,
): Promise<void> {
  const subscription = await bus.subscribe(
    { group: `revoked.${peers.instance}`, topics: [identityRevoked], from: 'latest' },
    async ({ envelope }) => {
      const { what, id } = identityRevoked.schema.parse(envelope.data)
      if (id === null) return
      if (what === 'session') tokens.revokeSession(id)
      if (what === 'key') tokens.revokeKey(id)
    },
  )
  lifecycle.defer('revocations', () => subscription.close())
}
