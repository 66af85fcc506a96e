import { describe } from 'bun:test'
import { environment } from '../kernel/config.ts'

export type AdapterKind = 'embedded' | 'real'
const asked = environment().ASSAY_TEST_ADAPTERS ?? 'embedded'

/**
 * Runs a contract suite once per adapter in ASSAY_TEST_ADAPTERS (embedded | real | both). Asking for an adapter that a
 * port does not have is a failure, never a skip.
 */
export function describeAdapters<Factory>(
  port: string,
  adapters: Partial<Record<AdapterKind, Factory>>,
  suite: (factory: Factory) => void,
): void {
  const kinds: AdapterKind[] = asked === 'both' ? ['embedded', 'real'] : [asked as AdapterKind]
  for (const kind of kinds) {
    const factory = adapters[kind]
    if (!factory) throw new Error(`ASSAY_TEST_ADAPTERS=${asked}: the port ${port} has no ${kind} adapter.`)
    describe(`${port} (${kind})`, () => suite(factory))
  }
}
