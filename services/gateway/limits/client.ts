import type { Actor, Ctx } from '@assay/core/kernel/context'

/** The network a request comes from: an IPv4 address, or the /64 that one IPv6 subscriber has. */
export function networkOf(address: string): string {
  const text = address.startsWith('::ffff:') ? address.slice(7) : address
  if (!text.includes(':')) return text
  const [head = '', tail] = text.split('::') as [string, string?]
  const groups = head ? head.split(':') : []
  if (tail !== undefined) {
    const rest = tail ? tail.split(':') : []
    while (groups.length + rest.length < 8) groups.push('0')
    groups.push(...rest)
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}

// an actor is one object as long as its credential is remembered
const names = new WeakMap<Actor, string>()

/** Whose requests are counted together: a key's, else a user's, else an address's. */
export function clientOf(ctx: Ctx): string {
  const { actor } = ctx
  // an address costs a call of the system: only who has no other name is asked for it
  if (!actor) return `a:${networkOf(ctx.address)}`
  let name = names.get(actor)
  if (name === undefined) {
    name = actor.keyId ? `k:${actor.keyId}` : `u:${actor.userId}`
    names.set(actor, name)
  }
  return name
}
