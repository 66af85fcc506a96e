import { ENGINE_VERSION } from '@assay/core/domain/engine/types'

const DOMAIN = new URL('../../packages/core/domain/', import.meta.url).pathname
const DECIDING = [
  'engine/*',
  'instruments/{convert,instrument}',
  'journal/{canonical,hash}',
  'ledger/*',
  'market/*',
  'matching/*',
  'money/*',
  'rules/*',
  'time/*',
]

/** packages/core/domain/engine/content.json: SHA-256 of every source file that decides; journals cite it by hash. */
export async function engineContent(): Promise<string> {
  const paths = DECIDING.flatMap((part) => [...new Bun.Glob(`${part}.ts`).scanSync(DOMAIN)]).sort()
  const files: Record<string, string> = {}
  for (const path of paths) {
    if (path.endsWith('.test.ts')) continue
    files[path] = new Bun.CryptoHasher('sha256').update(await Bun.file(DOMAIN + path).bytes()).digest('hex')
  }
  return `${JSON.stringify({ version: ENGINE_VERSION, files }, null, 2)}\n`
}
