import { describe, expect, test } from 'bun:test'
import { breach, importsOf } from './imports.ts'
import { isAllowed } from './licences.ts'

describe('import law', () => {
  const law: [string, string, boolean][] = [
    ['packages/core/kernel/edge.ts', '../ports/db/port.ts', true],
    ['packages/core/ports/db/pglite.ts', '../../kernel/log.ts', false],
    ['packages/core/domain/engine/step.ts', '../money/dec.ts', true],
    ['packages/core/domain/engine/step.ts', '../../contracts/errors.ts', false],
    ['packages/core/domain/engine/step.ts', 'node:fs', false],
    ['packages/core/domain/journal/hash.ts', '@noble/hashes/sha2.js', true],
    ['packages/core/domain/engine/step.test.ts', 'node:fs', true],
    ['packages/core/kernel/compose.ts', '@assay/services/trading/service', false],
    ['services/trading/orders/place-order.ts', '@assay/core/kernel/auth', true],
    ['services/trading/orders/place-order.ts', '../../market-data/service.ts', false],
    ['services/trading/orders/place-order.ts', '@assay/core/testing/world', false],
    ['services/trading/orders/place-order.test.ts', '@assay/core/testing/world', true],
  ]
  for (const [from, target, legal] of law) {
    test(`${from} ${legal ? 'may' : 'may not'} import ${target}`, () =>
      expect(breach(from, target) === undefined).toBe(legal))
  }
  test('imports are found in every form', () => {
    const text =
      "import a from 'one'\nimport {\n  b,\n} from 'two'\nexport { c } from 'three'\nimport 'four'\nconst d = await import('five')\n"
    expect(importsOf(text)).toEqual(['one', 'two', 'three', 'four', 'five'])
  })
})
test('a licence expression passes when a choice of it does', () => {
  expect(['MIT', '(MIT OR GPL-3.0)', 'Apache-2.0 AND BSD-3-Clause'].map(isAllowed)).toEqual([true, true, true])
  expect(['GPL-3.0', 'MIT AND GPL-3.0', '', 'UNLICENSED'].map(isAllowed)).toEqual([false, false, false, false])
})
