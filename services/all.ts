import type { Service } from '@assay/core/kernel/service'
import { gateway } from './gateway/service.ts'
import { marketData } from './market-data/service.ts'
import { trading } from './trading/service.ts'
import { websocket } from './websocket/service.ts'

/** Every service, in start order: one process is this list, a container one entry of it. */
export const services: readonly Service[] = [gateway, marketData, trading, websocket]
