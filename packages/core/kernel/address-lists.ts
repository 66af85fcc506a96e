import { createProxyList } from './proxies.ts'

/** Addresses or CIDR ranges. An empty `allow` lets everybody in whom `deny` does not name. */
export interface AddressLists {
  allow: readonly string[]
  deny: readonly string[]
}

/** Whether an address is kept out; what is no address is, where anything is listed. */
export function createAddressCheck(lists: AddressLists | undefined): (address: string) => boolean {
  if (!lists || lists.allow.length + lists.deny.length === 0) return () => false
  const isAllowed = lists.allow.length > 0 ? createProxyList(lists.allow) : isAddress
  const isDenied = createProxyList(lists.deny)
  return (address) => !isAllowed(address) || isDenied(address)
}

const isAddress = createProxyList(['0.0.0.0/0', '::/0'])
