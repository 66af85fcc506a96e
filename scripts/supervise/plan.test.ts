import { expect, test } from 'bun:test'
import { planProcesses, STOP_ORDER } from './plan.ts'

const env = { PORT: '9', DATA_BRIDGE_PORT: '9', VAULT_TOKEN: 'root', DATABASE_URL: 'postgres://db', FEEDS: 'sim' }
const plan = planProcesses({ home: '/home', env, replicas: { trading: 2 }, basePort: 8000 })
const of = (instance: string) => plan.find((one) => one.instance === instance)!

test('every service has a process, every replica a name and a port of its own: 100 above the one before', () => {
  expect(plan.map(({ instance, url }) => `${instance} ${url}`)).toEqual([
    'gateway-0 https://127.0.0.1:8050',
    'market-data-0 https://127.0.0.1:8001',
    'trading-0 https://127.0.0.1:8003',
    'trading-1 https://127.0.0.1:8103',
    'websocket-0 https://127.0.0.1:8005',
  ])
  expect(of('gateway-0').env.PORT).toBe('8000')
})
test('each process knows itself and how many there are; the platform’s own port and token are not for it', () => {
  const { env: its } = of('trading-1')
  expect(its).toMatchObject({
    ASSAY_INSTANCE: 'trading-1',
    ASSAY_PEER_URL: 'https://127.0.0.1:8103',
    ASSAY_REPLICAS: 'gateway=1,market-data=1,trading=2,websocket=1',
    DATABASE_URL: 'postgres://db',
  })
  for (const name of ['PORT', 'DATA_BRIDGE_PORT', 'VAULT_TOKEN']) expect(its).not.toHaveProperty(name)
})
test('every service stops: who answers clients first, what the others read from last', () => {
  expect(STOP_ORDER.slice(-2)).toEqual([['trading'], ['market-data']])
  expect(STOP_ORDER.flat().sort()).toEqual([...new Set(plan.map(({ service }) => service))].sort())
})
