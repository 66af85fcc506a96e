import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { connect, type TestClient, until } from '../testing/client.ts'
import { startServer, type TestServer } from '../testing/server.ts'
import { createRecheck } from './recheck.ts'

let server: TestServer
beforeAll(() => {
  server = startServer({ sources: [] })
})
afterAll(() => server.stop())
beforeEach(() => {
  Object.assign(server.verifier, { away: false, isCurrent: true })
})

/** Time goes on for the checks as the test says. */
let later = 0
const recheckNow = () =>
  createRecheck({ ...server.hub, clock: { ...server.hub.clock, monotonic: () => performance.now() + later } })
async function open(user: string): Promise<{ client: TestClient; token: string }> {
  const token = server.token(user)
  return { client: await connect(`ws://${server.host}/ws`, { protocols: ['bearer', token] }), token }
}
const isOpen = ({ client }: { client: TestClient }) => client.socket.readyState === WebSocket.OPEN

test('while what is revoked is heard of, nothing is asked for the connections that are open', async () => {
  const ann = await open('ann')
  const before = server.verifier.asked
  later = 5_000
  await recheckNow()()
  expect([server.verifier.asked, isOpen(ann)]).toEqual([before, true])
})

test('while it is not, whose credential has ended goes within a second, and the others stay', async () => {
  const [ann, bob] = [await open('ann'), await open('bob')]
  const renewed = await open('cleo')
  const token = server.token('cleo', 50_000)
  renewed.client.send({ op: 'renew', id: 1, token })
  await renewed.client.next(({ type, id }) => type === 'ack' && id === 1)
  server.verifier.isCurrent = false
  server.verifier.revoked.add(ann.token)
  // its next one counts
  server.verifier.revoked.add(renewed.token)
  later = 1_001
  const recheck = recheckNow()
  await recheck()
  expect((await ann.client.closed).code).toBe(4403)
  expect([isOpen(bob), isOpen(renewed)]).toEqual([true, true])
  server.verifier.revoked.add(token)
  later = 2_100
  await recheck()
  expect((await renewed.client.closed).code).toBe(4403)
})

test('whom nobody can answer for is served 10 s more, and may come again', async () => {
  const ann = await open('ann')
  Object.assign(server.verifier, { away: true, isCurrent: false })
  later = 3_600_000
  const recheck = recheckNow()
  await recheck()
  later += 9_000
  await recheck()
  expect(isOpen(ann)).toBe(true)
  later += 1_001
  await recheck()
  expect((await ann.client.closed).code).toBe(1001)
  server.verifier.away = false
  const again = await open('ann')
  await until(() => isOpen(again))
})
