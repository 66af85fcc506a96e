import { expect, test } from 'bun:test'
import { callReplicas } from './call-replicas.ts'
import { PeerError, type Peers } from './peers.ts'

type Answer = number | 'refused' | 'lost'
const clock = { monotonic: () => 0, sleep: async () => {} }

/** Replicas that answer by a script; says who was asked, in order. */
function world(script: Record<string, Answer[]>) {
  const asked: string[] = []
  const calls: { timeoutMs: number; headers: Headers }[] = []
  const peers = {
    replicas: (service: string) => (service === 'trading' ? Object.keys(script) : []),
    async fetch(_service: string, url: string, _path: string, call: { timeoutMs: number; headers: Headers }) {
      asked.push(url)
      calls.push(call)
      const answer = script[url]!.shift() ?? 200
      if (typeof answer === 'number') return new Response(null, { status: answer })
      throw new PeerError(`${url}: ${answer}`, answer === 'lost')
    },
  } as unknown as Peers
  const call = callReplicas({ peers, clock })
  const ask = async (method: string) => {
    const body = method === 'POST' ? '{}' : undefined
    try {
      return (await call('trading', new Request('http://trading/api/x?y=1', { method, body }))).status
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  return { asked, calls, ask, call }
}

test('replicas are asked in turn', async () => {
  const { ask, asked } = world({ a: [], b: [], c: [] })
  for (let n = 0; n < 4; n++) await ask('GET')
  expect(asked).toEqual(['a', 'b', 'c', 'a'])
})
test('what may be asked twice goes to another replica, and the one that failed is left out for a while', async () => {
  const { ask, asked } = world({ a: ['lost'], b: [] })
  expect([await ask('GET'), await ask('GET'), await ask('DELETE')]).toEqual([200, 200, 200])
  expect(asked).toEqual(['a', 'b', 'b', 'b'])
})
test('a POST that never left goes to another replica; one whose answer was lost is not sent again', async () => {
  const unsent = world({ a: ['refused'], b: [] })
  expect([await unsent.ask('POST'), unsent.asked]).toEqual([200, ['a', 'b']])
  const sent = world({ a: ['lost'], b: [] })
  expect([await sent.ask('POST'), sent.asked]).toEqual(['outcome_unknown', ['a']])
})
test('three tries are all; the last 503 is the answer, no answer is unavailable', async () => {
  const busy = world({ a: [503, 503], b: [503, 503] })
  expect([await busy.ask('GET'), busy.asked.length]).toEqual([503, 3])
  const away = world({ a: ['refused', 'refused'], b: ['refused', 'refused'] })
  expect([await away.ask('GET'), away.asked.length]).toEqual(['unavailable', 3])
  expect(await world({ a: [503] }).ask('POST')).toBe(503)
})
test('a call for a request goes under its id and trace, and has no more time than is left of its deadline', async () => {
  const { call, calls } = world({ a: [], b: [] })
  const ctx = {
    requestId: 'request-of-ann',
    actor: null,
    address: '127.0.0.1',
    trace: `${'0'.repeat(31)}1`,
    deadlineAt: 300,
  }
  await call('trading', new Request('http://trading/api/x'), { ctx })
  expect(calls[0]!.timeoutMs).toBe(300)
  expect(calls[0]!.headers.get('x-request-id')).toBe('request-of-ann')
  expect(calls[0]!.headers.get('traceparent')).toMatch(/^00-0{31}1-[\da-f]{16}-01$/)
  const late = call('trading', new Request('http://trading/api/x'), { ctx: { ...ctx, deadlineAt: 0 } })
  expect(await late.catch(({ code }) => code)).toBe('unavailable')
  expect(calls).toHaveLength(1)
})
test('a name that is no service is a mistake', async () => {
  const { call } = world({ a: [] })
  expect(call('tradng', new Request('http://x/'))).rejects.toThrow('no service tradng')
})
