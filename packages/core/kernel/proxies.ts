import { BlockList, isIP } from 'node:net'

/** An address, or a range in CIDR notation. */
export function isAddressRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}

/** Tells whether a peer is one of the trusted proxies; forwarded headers of anyone else are not believed. */
export function createProxyList(ranges: readonly string[]): (address: string) => boolean {
  const known = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) known.addAddress(address, family)
    else known.addSubnet(address, Number(prefix), family)
  }
  return (address) => {
    const plain = plainAddress(address)
    const family = isIP(plain)
    return family !== 0 && known.check(plain, family === 6 ? 'ipv6' : 'ipv4')
  }
}

/** IPv4 in IPv6 clothes is IPv4. */
export const plainAddress = (address: string): string => (address.startsWith('::ffff:') ? address.slice(7) : address)

export const isLoopback = (address: string): boolean => address === '::1' || plainAddress(address).startsWith('127.')

/** Who sent the request: the peer, or the last address that a trusted proxy forwarded for. */
export function clientAddress(
  peer: string,
  forwardedFor: string | null,
  trusted: (address: string) => boolean,
): string {
  if (!forwardedFor || !trusted(peer)) return plainAddress(peer)
  const hops = forwardedFor.split(',').map((hop) => hop.trim())
  const client = hops.reverse().find((hop) => isIP(plainAddress(hop)) !== 0 && !trusted(hop))
  return plainAddress(client ?? peer)
}
