import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { ProofWorld, testKey } from '../../testing/proof-world.ts'
import { spec } from '../../testing/world.ts'

test('the verifier runs where there is neither Bun nor Node nor a network: what a browser has is enough', async () => {
  const w = new ProofWorld(
    spec([
      {
        rule: 'max_loss',
        mode: 'static',
        limit: { amount: '500' },
        lock: null,
        metric: 'equity',
        compare: 'lt',
        effect: 'hard',
      },
    ]),
  )
  const quote = (mts: number, price: number): void =>
    w.tick(mts, { kind: 'quote', symbol: 'TST/USD', bid: String(price), ask: String(price + 1) })
  const at = Date.UTC(2024, 2, 1)
  quote(at, 100)
  w.command({ op: 'create' })
  w.command({ op: 'start' })
  w.command({ op: 'order', symbol: 'TST/USD', side: 'buy', type: 'market', quantity: '100' })
  quote(at + 1000, 101)
  quote(at + 2000, 80)
  w.seal()
  const folder = mkdtempSync(join(tmpdir(), 'portable-'))
  try {
    writeFileSync(
      join(folder, 'entry.ts'),
      `import { verifyProof } from '${resolve(import.meta.dir, 'verify.ts')}'\nglobalThis.verifyProof = verifyProof`,
    )
    const built = await Bun.build({ entrypoints: [join(folder, 'entry.ts')], target: 'browser', format: 'iife' })
    const code = await built.outputs[0]!.text()
    expect(code).not.toMatch(/from ['"]node:|require\(['"]/)
    const page = createContext({
      TextEncoder,
      TextDecoder,
      Uint8Array,
      Uint32Array,
      DataView,
      ArrayBuffer,
      bytes: await w.proof(),
      keys: [testKey(1).key],
    })
    const globals = runInContext('[typeof Bun, typeof process, typeof fetch, typeof require]', page)
    expect([...globals]).toEqual(['undefined', 'undefined', 'undefined', 'undefined'])
    const result = await runInContext(`${code}\nverifyProof(bytes, { keys })`, page)
    expect([result.exit, result.reason]).toEqual([0, 'every record follows from the log and the commands'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
