import { run } from '@assay/core/kernel/run'
import { marketData } from './service.ts'

await run(marketData)
