import { run } from '@assay/core/kernel/run'
import { gateway } from './service.ts'

await run(gateway)
