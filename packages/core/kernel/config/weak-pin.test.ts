import { expect, test } from 'bun:test'
import { readConfig } from '../config.ts'
import { pinWeakness } from './weak-pin.ts'

const WEAK = [
  '000000',
  '111111',
  '123456',
  '654321',
  '012345',
  '121212',
  '123123',
  '123321',
  '112233',
  '199004',
  '310189',
]

test('ASVS 13.2.3: runs, repeats, dates and usual PINs are weak; most others are not', () => {
  for (const pin of WEAK) expect([pin, pinWeakness(pin)]).toEqual([pin, expect.any(String)])
  for (const pin of ['839274', '580371', '947265']) expect(pinWeakness(pin)).toBeUndefined()
  const strong = Array.from({ length: 10_000 }, (_, n) => String(n * 97).padStart(6, '0')).filter(
    (pin) => !pinWeakness(pin),
  )
  expect(strong.length).toBeGreaterThan(8_500)
})

test('production refuses to start with a weak PIN and says why; development takes it', () => {
  const production = {
    NODE_ENV: 'production',
    ENCRYPTION_KEY: Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64'),
  }
  const refused = (env: Record<string, string>) => {
    try {
      readConfig(env)
      return ''
    } catch (error) {
      return String(error)
    }
  }
  for (const pin of WEAK) expect(refused({ ...production, BOT_CONTROL_PIN: pin })).toContain('BOT_CONTROL_PIN')
  expect(refused({ ...production, BOT_CONTROL_PIN: '839274' })).not.toContain('BOT_CONTROL_PIN')
  expect(refused({ BOT_CONTROL_PIN: '123456' })).toBe('')
})
