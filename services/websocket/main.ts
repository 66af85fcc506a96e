import { run } from '@assay/core/kernel/run'
import { websocket } from './service.ts'

await run(websocket)
