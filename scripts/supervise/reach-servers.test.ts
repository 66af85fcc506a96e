import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../stack/ports.ts'
import { reachServers } from './reach-servers.ts'

test('every named server that does not answer is said at once, by its variable, within a bound; a silent one too', async () => {
  const home = mkdtempSync(join(tmpdir(), 'assay-reach-'))
  const [port] = await freePorts(1)
  const silent = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const began = performance.now()
  const env = {
    ASSAY_HOME: home,
    DATABASE_URL: `postgres://assay:secret@127.0.0.1:${port}/assay`,
    KAFKA_BROKERS: `127.0.0.1:${silent.port}`,
    REDIS_URL: `redis://:secret@127.0.0.1:${silent.port}`,
    VAULT_ADDR: `http://127.0.0.1:${port}`,
    VAULT_TOKEN: 'secret',
  }
  const error = await reachServers(env).then(
    () => undefined,
    (reason: Error) => reason,
  )
  silent.stop(true)
  rmSync(home, { recursive: true, force: true })
  const lines = error!.message.split('\n')
  expect(lines.map((line) => line.slice(0, line.indexOf(' cannot be used')))).toEqual([
    `DATABASE_URL: the server at 127.0.0.1:${port}/assay (sslmode prefer)`,
    `KAFKA_BROKERS: the server at ${env.KAFKA_BROKERS}`,
    `REDIS_URL: the server at ${env.KAFKA_BROKERS}`,
    `VAULT_ADDR: the server at ${env.VAULT_ADDR}`,
  ])
  expect(error!.message).not.toContain('secret')
  expect(performance.now() - began).toBeLessThan(25_000)
}, 40_000)
test('where no server is named there is nothing to ask', async () => {
  await reachServers({ ASSAY_HOME: '/nowhere' })
})
