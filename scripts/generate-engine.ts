/** Writes packages/core/domain/engine/content.json: SHA-256 of every source file that decides; journals cite it by hash. */
import { ENGINE_VERSION } from '@assay/core/domain/engine/types'

const DECIDING = [
  'engine',
  'instruments/{convert,instrument}',
  'journal/{canonical,hash}',
  'ledger',
  'market',
  'matching',
  'money',
  'rules',
  'time',
]
const domain = new URL('../packages/core/domain/', import.meta.url).pathname
const files: Record<string, string> = {}
const paths = DECIDING.flatMap((part) => [
  ...new Bun.Glob(part.includes('/') ? `${part}.ts` : `${part}/*.ts`).scanSync(domain),
])
for (const path of paths.sort()) {
  if (path.endsWith('.test.ts')) continue
  files[path] = new Bun.CryptoHasher('sha256').update(await Bun.file(domain + path).bytes()).digest('hex')
}
await Bun.write(`${domain}engine/content.json`, `${JSON.stringify({ version: ENGINE_VERSION, files }, null, 2)}\n`)
console.log(`engine ${ENGINE_VERSION}: ${Object.keys(files).length} files`)
