import { expect, test } from 'bun:test'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { until } from '../testing/until.ts'
import { makeLocalCa } from './local-ca.ts'
import { PeerPool } from './peer-pool.ts'

test('a process that takes connections and says nothing, as one that is stopped: what was given up is closed', async () => {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket.resume())
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const pool = new PeerPool({
    where: 'trading',
    hostname: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    serverName: 'trading.assay.internal',
    credentials: await (await makeLocalCa()).issue('gateway', 3_600_000),
  })
  const asked = pool.ask({ method: 'GET', path: '/', headerLines: '', timeoutMs: 20_000 }).then(
    () => 'answered',
    ({ message, sent }) => ({ message, sent }),
  )
  await until('it has connected', () => open.size === 1)
  expect(await asked).toEqual({ message: 'trading: no connection within 5000 ms', sent: false })
  await until('its connection is closed', () => open.size === 0)
  pool.close()
  server.close()
}, 30_000)
