import { expect, test } from 'bun:test'
import { createAddressCheck } from './address-lists.ts'

const kept = (allow: string[], deny: string[], addresses: string[]) =>
  addresses.map(createAddressCheck({ allow, deny })).map((denied) => !denied)

test('without lists everybody is let in', () => {
  expect(createAddressCheck(undefined)('203.0.113.9')).toBe(false)
  expect(kept([], [], ['203.0.113.9', 'unknown'])).toEqual([true, true])
})
test('an allow list lets in whom it names, a deny list goes before it, and who has no address is kept out', () => {
  const asked = ['203.0.113.9', '203.0.113.1', '198.51.100.1', '::ffff:203.0.113.9', 'unknown']
  expect(kept(['203.0.113.0/24'], ['203.0.113.1'], asked)).toEqual([true, false, false, true, false])
  expect(kept([], ['203.0.113.1', '2001:db8::/32'], [...asked, '2001:db8::1', '2001:db9::1'])).toEqual([
    true,
    false,
    true,
    true,
    false,
    false,
    true,
  ])
})
