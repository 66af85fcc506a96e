import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launch } from './launch.ts'
import { listenerAt, takenByAnother } from './listeners.ts'
import { freePorts, HOST } from './ports.ts'
import { ServerStartError } from './server.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-listeners-'))
const server = Bun.listen({ hostname: HOST, port: 0, socket: { data() {} } })
afterAll(() => {
  server.stop(true)
  rmSync(folder, { recursive: true, force: true })
})

test('a port is its listener’s and that of who started it; for another process it is taken, with the holder’s id', () => {
  expect(takenByAnother(process.pid, [server.port])).toBeUndefined()
  const bystander = Bun.spawn(['sleep', '100'])
  const taken = takenByAnother(bystander.pid, [server.port])
  bystander.kill()
  expect(taken).toMatchObject({ port: server.port, by: expect.stringContaining(`process ${process.pid} (`) })
  expect(takenByAnother(process.ppid, [server.port])).toBeUndefined()
  expect(listenerAt(server.port)).toContain(`process ${process.pid} (`)
})
test('a free port is nobody’s', async () => {
  const [port] = await freePorts(1)
  expect(takenByAnother(process.pid, [port!])).toBeUndefined()
  expect(listenerAt(port!)).toBeUndefined()
})
test('a server whose port another process answers at is not taken for started: it is ended, and the holder is named', async () => {
  const start = launch(
    {
      name: 'redis',
      version: '0',
      address: `${HOST}:${server.port}`,
      folder,
      ports: { redis: server.port },
      env: {},
      command: ['sleep', '100'],
      isReady: async () => true,
    },
    { folder },
  )
  const error = await start.then(
    () => undefined,
    (reason) => reason,
  )
  expect(error).toBeInstanceOf(ServerStartError)
  expect(error.takenPort).toBe(server.port)
  expect(error.message).toContain(`port ${server.port} is taken by process ${process.pid} (`)
  const { pid } = JSON.parse(await Bun.file(join(folder, 'server.json')).text())
  expect(() => process.kill(pid, 0)).toThrow()
})
