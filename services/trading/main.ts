import { run } from '@assay/core/kernel/run'
import { trading } from './service.ts'

await run(trading)
