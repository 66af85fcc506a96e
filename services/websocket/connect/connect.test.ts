import { afterAll, beforeAll, expect, test } from 'bun:test'
import { connect, until } from '../testing/client.ts'
import { connectRaw } from '../testing/raw-client.ts'
import { startServer, type TestServer } from '../testing/server.ts'
import { testSource } from '../testing/sources.ts'
import { ticketKey } from '../tickets/ticket.ts'

const source = testSource({ name: 'ticks', holds: 10 })
let server: TestServer
beforeAll(() => {
  server = startServer({
    sources: [source],
    origins: ['https://desk.example'],
    limits: { sweepEveryMs: 5, pingEveryMs: 20, silenceMs: 250, ticketTtlMs: 200 },
  })
})
afterAll(() => server.stop())

const url = (query = '') => `ws://${server.host}/ws${query}`
const bearer = (userId: string, ttlMs?: number) => ['bearer', server.token(userId, ttlMs)]
const alive = async (client: Awaited<ReturnType<typeof connect>>) => {
  client.send({ op: 'ping', id: 'alive' })
  return (await client.next(({ id }) => id === 'alive')).type
}
async function ticketOf(userId: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await fetch(`http://${server.host}/api/ws/ticket`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token(userId)}`, ...headers },
  })
  expect(answer.status).toBe(201)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  return ((await answer.json()) as { ticket: string }).ticket
}

test('the bearer subprotocol is answered with bearer alone', async () => {
  const client = await connect(url(), { protocols: bearer('ann') })
  expect(client.socket.protocol).toBe('bearer')
  expect(await alive(client)).toBe('pong')
  client.socket.close()
})

test('without a token, with a bad one, or with an unknown subprotocol alone there is no connection', async () => {
  await expect(connect(url())).rejects.toThrow()
  await expect(connect(url(), { protocols: ['bearer', 'forged'] })).rejects.toThrow()
  await expect(connect(url(), { protocols: ['bearer'] })).rejects.toThrow()
  const headers = { authorization: `Bearer ${server.token('ann')}` }
  await expect(connect(url(), { protocols: ['graphql-ws'], headers })).rejects.toThrow()
  ;(await connect(url(), { protocols: ['json'], headers })).socket.close()
  const answer = await fetch(`http://${server.host}/ws`)
  expect(answer.status).toBe(400)
})

test('a ticket opens one connection as the actor that asked for it, once (V4.4.3)', async () => {
  const ticket = await ticketOf('ann')
  expect(Buffer.from(ticket, 'base64url')).toHaveLength(16)
  const client = await connect(url(`?token=${ticket}`))
  expect([...server.hub.connections].map(({ caller }) => caller.actor.userId)).toContain('ann')
  await expect(connect(url(`?token=${ticket}`))).rejects.toThrow()
  client.socket.close()
})

test('of many connections that race with one ticket, one opens', async () => {
  const ticket = await ticketOf('ann')
  const tries = await Promise.allSettled(Array.from({ length: 10 }, () => connect(url(`?token=${ticket}`))))
  const opened = tries.filter((tried) => tried.status === 'fulfilled')
  expect(opened).toHaveLength(1)
  opened[0]!.value.socket.close()
})

test('a ticket dies of age, by use from another origin, and an access token is none', async () => {
  const late = await ticketOf('ann')
  const issued = performance.now()
  const bound = await ticketOf('ann', { origin: 'https://desk.example' })
  await expect(connect(url(`?token=${bound}`), { headers: { origin: `http://${server.host}` } })).rejects.toThrow()
  await expect(connect(url(`?token=${bound}`), { headers: { origin: 'https://desk.example' } })).rejects.toThrow()
  await expect(connect(url(`?token=${server.token('ann')}`))).rejects.toThrow()
  await until(() => performance.now() - issued > 210)
  await expect(connect(url(`?token=${late}`))).rejects.toThrow()
})

test('a ticket is of no use once the session that asked for it has ended, and the cache does not hold its token', async () => {
  const token = server.token('ann')
  const headers = { authorization: `Bearer ${token}` }
  const asked = await fetch(`http://${server.host}/api/ws/ticket`, { method: 'POST', headers })
  const { ticket } = (await asked.json()) as { ticket: string }
  const kept = JSON.stringify(await server.cache.get(ticketKey(ticket)))
  expect([kept.includes('sealed'), kept.includes(token), kept.includes('ann')]).toEqual([true, false, false])
  server.verifier.revoked.add(token)
  const refused = connect(url(`?token=${ticket}`)).then(
    () => 'opened',
    () => 'refused',
  )
  expect(await refused).toBe('refused')
})
test('a ticket needs an authenticated request (V4.4.4)', async () => {
  const answer = await fetch(`http://${server.host}/api/ws/ticket`, { method: 'POST' })
  expect(answer.status).toBe(401)
})

test('a page of another origin may not connect; the server itself and CORS_ORIGINS may (V4.4.2)', async () => {
  const from = (origin: string) => connect(url(), { protocols: bearer('ann'), headers: { origin } })
  await expect(from('https://evil.example')).rejects.toThrow()
  await expect(from('null')).rejects.toThrow()
  for (const origin of ['https://desk.example', `http://${server.host}`]) (await from(origin)).socket.close()
})

test('the end of the token ends the connection with 4401', async () => {
  const client = await connect(url(), { protocols: bearer('ann', 100) })
  expect(await client.closed).toMatchObject({ code: 4401 })
})

test('renew carries the connection past the end of its token; the token of another user does not', async () => {
  const client = await connect(url(), { protocols: bearer('ann', 150) })
  client.send({ op: 'renew', id: 'other', token: server.token('bob') })
  expect((await client.next(({ id }) => id === 'other')).data).toMatchObject({ code: 'forbidden' })
  client.send({ op: 'renew', id: 'bad', token: 'forged' })
  expect((await client.next(({ id }) => id === 'bad')).data).toMatchObject({ code: 'unauthorized' })
  client.send({ op: 'renew', id: 'own', token: server.token('ann', 400) })
  expect((await client.next(({ id }) => id === 'own')).type).toBe('ack')
  const renewed = performance.now()
  expect(await client.closed).toMatchObject({ code: 4401 })
  expect(performance.now() - renewed).toBeGreaterThan(300)
})

test('MessagePack by query or subprotocol gives the same messages in binary frames', async () => {
  const byQuery = await connect(url('?format=msgpack'), { protocols: bearer('ann'), msgpack: true })
  const byProtocol = await connect(url(), { protocols: [...bearer('ann'), 'msgpack'], msgpack: true })
  const json = await connect(url(), { protocols: bearer('ann') })
  const clients = [byQuery, byProtocol, json]
  for (const client of clients) {
    client.send({ op: 'subscribe', id: 1, channels: ['ticks:a'] })
    await client.next(({ type }) => type === 'snapshot')
  }
  const seq = Number.MAX_SAFE_INTEGER - 1
  source.publish('A', { seq, data: { bid: '1.10', levels: [['1', '2']], none: null } })
  const [first, second, third] = await Promise.all(clients.map((client) => client.next(({ type }) => type === 'event')))
  expect(first).toEqual(third!)
  expect(second).toEqual(third!)
  expect(third!.seq).toBe(seq)
  for (const client of clients) client.socket.close()
})

test('a client that answers no ping is closed with 4410; one that does stays', async () => {
  const silent = await connectRaw(server.host, '/ws', server.token('sam'))
  const client = await connect(url(), { protocols: bearer('ann') })
  await until(() => silent.close)
  expect(silent.close).toMatchObject({ code: 4410 })
  expect(await alive(client)).toBe('pong')
  client.socket.close()
  silent.destroy()
})

test('a server that closes says so with 1001', async () => {
  const other = startServer({ sources: [source] })
  const client = await connect(`ws://${other.host}/ws`, { protocols: ['bearer', other.token('ann')] })
  const stopped = other.stop()
  expect(await client.closed).toMatchObject({ code: 1001 })
  await stopped
})
