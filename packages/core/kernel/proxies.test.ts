import { expect, test } from 'bun:test'
import { clientAddress, createProxyList, isAddressRange } from './proxies.ts'

const trusted = createProxyList(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'])

test.each([
  // peer, X-Forwarded-For, whose request it is
  ['203.0.113.9', null, '203.0.113.9'],
  ['203.0.113.9', '1.2.3.4', '203.0.113.9'],
  ['10.0.0.1', null, '10.0.0.1'],
  ['10.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['10.0.0.1', '1.2.3.4, 203.0.113.9', '203.0.113.9'],
  ['10.0.0.1', '1.2.3.4, 203.0.113.9, 10.9.9.9, 192.0.2.7', '203.0.113.9'],
  ['::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['2001:db8::1', '2001:db9::5', '2001:db9::5'],
  ['10.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
  ['10.0.0.1', '[2001:db9::5]:4711, 10.1.1.1', '2001:db9::5'],
  // all of them are proxies: the first of them asks for itself
  ['10.0.0.1', '10.0.0.2, 10.0.0.3', '10.0.0.2'],
  // what is no address was not written by a proxy of ours: nothing left of it counts
  ['10.0.0.1', '1.2.3.4, unknown', '10.0.0.1'],
  ['10.0.0.1', '1.2.3.4, _hidden, 10.0.0.5', '10.0.0.5'],
  ['10.0.0.1', '', '10.0.0.1'],
])('of peer %s with X-Forwarded-For %p the client is %s', (peer, forwarded, client) => {
  expect(clientAddress(peer, forwarded, trusted)).toBe(client)
})

test('ranges are CIDR of both families, an IPv4 address in IPv6 clothes is one of IPv4', () => {
  const list = createProxyList(['10.0.0.0/8', '::1'])
  expect(['10.255.0.1', '::ffff:10.1.1.1', '::1', '11.0.0.1', '::2', 'no address'].map(list)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ])
  expect(createProxyList([])('10.0.0.1')).toBe(false)
  for (const text of ['10.0.0.0/33', '10.0.0', '::/129', '10.0.0.0/8/8', 'x']) expect(isAddressRange(text)).toBe(false)
})

test('addresses asked about are remembered within a bound, and asked again they get the same answer', () => {
  const list = createProxyList(['10.0.0.0/8'])
  for (let n = 0; n < 25_000; n++) list(`203.${n >> 16}.${(n >> 8) & 255}.${n & 255}`)
  expect([list('10.1.2.3'), list('203.0.0.1'), list('10.1.2.3')]).toEqual([true, false, true])
})
