import { BlockList, isIP } from 'node:net'

/** An address, or a range in CIDR notation. */
export function isAddressRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/', 3)
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}

/** Answers kept: proxies are few, and each of them is asked about with every request. */
const MOST_KNOWN = 10_000

/** Tells whether an address is in one of the ranges, such as those of the trusted proxies. */
export function createProxyList(ranges: readonly string[]): (address: string) => boolean {
  if (ranges.length === 0) return () => false
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  const known = new Map<string, boolean>()
  return (address) => {
    let found = known.get(address)
    if (found === undefined) {
      const plain = plainAddress(address)
      const family = isIP(plain)
      found = family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4')
      if (known.size >= MOST_KNOWN) known.clear()
      known.set(address, found)
    }
    return found
  }
}

/** IPv4 in IPv6 clothes is IPv4. */
export const plainAddress = (address: string): string => (address.startsWith('::ffff:') ? address.slice(7) : address)

export const isLoopback = (address: string): boolean => address === '::1' || plainAddress(address).startsWith('127.')

/** An address as a proxy forwards it, some with a port: `203.0.113.9:4711`, `[2001:db8::1]:4711`. */
function forwardedAddress(text: string): string | undefined {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text
  const plain = plainAddress(bare)
  return isIP(plain) === 0 ? undefined : plain
}

/**
 * Who sent the request: the peer, or the last address that a trusted proxy forwarded for. Read from the right, up to
 * what is no address: left of that anybody may have written.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | null,
  trusted: (address: string) => boolean,
): string {
  let client = plainAddress(peer)
  if (!forwardedFor || !trusted(peer)) return client
  for (const hop of forwardedFor.split(',').reverse()) {
    const address = forwardedAddress(hop.trim())
    if (address === undefined) break
    client = address
    if (!trusted(address)) break
  }
  return client
}
