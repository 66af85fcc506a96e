import { describe } from 'bun:test'
import { environment } from '../kernel/config.ts'

export type AdapterKind = 'embedded' | 'real'
const asked = environment().ASSAY_TEST_ADAPTERS ?? 'embedded'
const KINDS: Record<string, AdapterKind[]> = { embedded: ['embedded'], real: ['real'], both: ['embedded', 'real'] }

/** Those that this run asks for. */
export function askedKinds(): AdapterKind[] {
  const kinds = KINDS[asked]
  if (!kinds) throw new Error(`ASSAY_TEST_ADAPTERS=${asked}: one of ${Object.keys(KINDS).join(' | ')}.`)
  return kinds
}

/** A suite about real servers themselves: it runs wherever they are asked for. */
export function describeReal(name: string, suite: () => void): void {
  if (askedKinds().includes('real')) describe(`${name} (real)`, suite)
}

/**
 * Runs a contract suite once per adapter in ASSAY_TEST_ADAPTERS (embedded | real | both). Asking for an adapter that a
 * port does not have is a failure, never a skip.
 */
export function describeAdapters<Factory>(
  port: string,
  adapters: Partial<Record<AdapterKind, Factory>>,
  suite: (factory: Factory) => void,
): void {
  for (const kind of askedKinds()) {
    const factory = adapters[kind]
    if (!factory) throw new Error(`ASSAY_TEST_ADAPTERS=${asked}: the port ${port} has no ${kind} adapter.`)
    describe(`${port} (${kind})`, () => suite(factory))
  }
}
