import { expect, test } from 'bun:test'
import { commonPasswords, requireGoodPassword, weaknessOf } from './require-good-password.ts'

test('the 3,000 most frequent passwords that the length allows are refused, in any case of letters (V6.2.4)', () => {
  const first = [...commonPasswords()].slice(0, 3_000)
  expect(first).toHaveLength(3_000)
  for (const password of first) {
    expect(password.length).toBeGreaterThanOrEqual(8)
    expect(weaknessOf(password.toUpperCase())).not.toBeNull()
  }
})
test('passwords counted in breaches are refused (V6.2.12)', () => {
  expect(commonPasswords().size).toBeGreaterThan(15_000)
  for (const password of ['qwertyuiop', 'trustno1', 'iloveyou1', '87654321vv', 'p\uff41ssword'])
    expect(weaknessOf(password)).toContain('breaches')
})
test('a password that says little more than whose and what for it is is refused (V6.2.11)', () => {
  const about = ['ada.lovelace@mail.example', 'Ada King Lovelace']
  for (const password of ['lovelace1', 'Lovelace-2026'.slice(0, 11), 'AssayAssay!', 'assay-operator', 'Lovelace.Mail'])
    expect([password, weaknessOf(password, about)]).toEqual([password, expect.stringContaining('little more')])
  expect(weaknessOf('lovelace counts in bernoulli', about)).toBeNull()
  expect(weaknessOf('lovelace1', ['someone@else.example'])).toBeNull()
})
test('nothing is asked of the kinds of characters, and a password of a few repeated ones is none (V6.2.5)', () => {
  for (const password of ['abcdefgh', 'correct horse battery', '80274915', 'πάντα ῥεῖ', '🐎🔋🧷🪜🧊🎻🧭🪁'])
    expect([password, weaknessOf(password)]).toEqual([password, null])
  for (const password of ['aaaaaaaaaaaa', 'ababababab', 'xyzxyzxyzxyz'])
    expect(weaknessOf(password)).toContain('repeats')
})
test('what is refused names its field and never the password', () => {
  try {
    requireGoodPassword('trustno1', [], 'password')
    throw new Error('was not refused')
  } catch (error) {
    expect(error).toMatchObject({ code: 'validation_failed', options: { field: 'password' } })
    expect(String(error)).not.toContain('trustno1')
  }
})
