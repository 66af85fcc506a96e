/** Every service of this release: its port when it runs alone, and the variable that moves it. Order is start order. */
export interface ServiceEntry {
  name: string
  port: number
  portVariable: string
  purpose: string
}
export const SERVICES: readonly ServiceEntry[] = [
  { name: 'gateway', port: 8000, portVariable: 'API_GATEWAY_PORT', purpose: 'identity, tokens, API keys, limits' },
  { name: 'market-data', port: 8001, portVariable: 'DATA_BRIDGE_PORT', purpose: 'feeds, market log, candles' },
  { name: 'trading', port: 8003, portVariable: 'PORT', purpose: 'tiers, purchases, assessments, orders, the engine' },
  { name: 'websocket', port: 8005, portVariable: 'PORT', purpose: 'live push' },
]
export const serviceEntry = (name: string): ServiceEntry | undefined => SERVICES.find((entry) => entry.name === name)
