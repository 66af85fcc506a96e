import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { S3Client, SQL } from 'bun'
import { SERVER_NAMES, type Server } from '../server.ts'
import { SERVERS } from '../servers/all.ts'

const START_MS = 120_000
const folder = mkdtempSync(join(tmpdir(), 'assay-servers-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each([...SERVER_NAMES])('%s', (name) => {
  let server: Server
  const healthy = () => SERVERS[name].answers(server.env)
  beforeAll(async () => {
    server = await SERVERS[name].start({ folder: join(folder, name) })
  }, START_MS)
  afterAll(() => server.stop())

  test('answers on loopback once it is started', async () => {
    expect(await healthy()).toBe(true)
    expect(server.address).toContain('127.0.0.1')
    expect(server.version).toMatch(/^\d+\.\d+/)
  })
  test('frozen it does not answer, woken it does', async () => {
    await server.signal('SIGSTOP')
    expect(await healthy()).toBe(false)
    await server.signal('SIGCONT')
    expect(await healthy()).toBe(true)
  })
  test(
    'killed and started again it is another process at the same address, with the data that was written',
    async () => {
      const { pid, address } = server
      const kept = await remember(server)
      await server.signal('SIGKILL')
      expect(await healthy()).toBe(false)
      await server.restart()
      expect(server.pid).not.toBe(pid)
      expect(server.address).toBe(address)
      expect(await kept()).toBe('kept')
    },
    START_MS,
  )
})

test('a server that cannot start says what its log ends with', async () => {
  const taken = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const start = SERVERS.redis.start({ folder: join(folder, 'taken'), port: taken.port })
  expect(start).rejects.toThrow(/redis .* ended at its start[\s\S]*(in use|bind)/)
  await start.catch(() => {})
  taken.stop(true)
})

/** Writes through the server's own protocol; gives the way to read it back. */
async function remember({ name, env }: Server): Promise<() => Promise<string | undefined>> {
  if (name === 'postgres') return rememberRow(env.DATABASE_URL!)
  if (name === 'redis') return rememberKey(env.REDIS_URL!)
  if (name === 'openbao') return rememberSecret(env)
  if (name === 'versitygw') return rememberObject(env)
  return rememberMessage(env.KAFKA_BROKERS!)
}

async function rememberRow(url: string) {
  const query = async (statement: string) => {
    const sql = new SQL(url, { max: 1 })
    try {
      return await sql.unsafe(statement)
    } finally {
      await sql.close()
    }
  }
  await query("create table t as select 'kept' as v")
  return async () => (await query('select v from t'))[0]?.v
}

async function rememberKey(url: string) {
  const command = async (name: string, args: string[]) => {
    const client = new Bun.RedisClient(url)
    try {
      return await client.send(name, args)
    } finally {
      client.close()
    }
  }
  await command('CONFIG', ['SET', 'appendfsync', 'always'])
  await command('SET', ['k', 'kept'])
  return () => command('GET', ['k'])
}

async function rememberSecret({ VAULT_ADDR, VAULT_TOKEN }: Readonly<Record<string, string>>) {
  const call = async (method: string, path: string, body?: object) => {
    const headers = { 'X-Vault-Token': VAULT_TOKEN! }
    const answer = await fetch(`${VAULT_ADDR}/v1${path}`, { method, headers, body: body && JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${path} ${answer.status}`)
    return answer.status === 204 ? undefined : ((await answer.json()) as { data: { v: string } })
  }
  await call('POST', '/sys/mounts/t', { type: 'kv', options: { version: '1' } })
  await call('PUT', '/t/k', { v: 'kept' })
  return async () => (await call('GET', '/t/k'))?.data.v
}

async function rememberObject(env: Readonly<Record<string, string>>) {
  const client = new S3Client({
    endpoint: env.S3_ENDPOINT,
    bucket: env.S3_BUCKET,
    region: env.S3_REGION,
    accessKeyId: env.S3_ACCESS_KEY_ID,
    secretAccessKey: env.S3_SECRET_ACCESS_KEY,
  })
  await client.write('k', 'kept')
  return () => client.file('k').text()
}

async function rememberMessage(broker: string) {
  const { Kafka, logLevel } = await import('kafkajs')
  const connect = () => new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 20 } })
  const kafka = connect()
  const admin = kafka.admin()
  await admin.createTopics({ topics: [{ topic: 't', numPartitions: 1 }], waitForLeaders: true })
  await admin.disconnect()
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  await producer.send({ topic: 't', acks: -1, messages: [{ key: 'k', value: 'kept' }] })
  await producer.disconnect()
  return async () => {
    const consumer = connect().consumer({ groupId: 'g' })
    const value = Promise.withResolvers<string | undefined>()
    await consumer.connect()
    await consumer.subscribe({ topics: ['t'], fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => value.resolve(message.value?.toString()) })
    const kept = await value.promise
    await consumer.disconnect()
    return kept
  }
}
