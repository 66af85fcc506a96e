/** Keep-alive clients of the orders bench, in a process of their own: bare sockets, each with an assessment of its own. */
import type { Socket } from 'bun'
import { Latencies } from '../measure/latencies.ts'

export interface ClientsPlan {
  port: number
  key: string
  symbol: string
  quantity: string
  /** of buy orders that must rest */
  far: string
  assessments: string[]
}
export interface ClientsRun {
  ms?: number
  orders?: number
}
export interface ClientsReport {
  orders: number
  tookMs: number
  p50: number
  p99: number
  /** longest time without an answer, ms */
  stallMs: number
  /** GET /health beside it */
  health: { p99: number; count: number }
}
interface Waiting {
  rest: string
  answer: (status: number, body: string) => void
}

const HEALTH_MS = 20
/** Orders of one round: two fill, one rests; now and then what rests is cancelled. */
const ROUND = 3
const ROUNDS_RESTING = 10
const ENDED = '\r\n\r\n'
let plan: ClientsPlan
let sockets: Socket<Waiting>[] = []
let health: Socket<Waiting>

// the bench failed or was stopped
process.on('disconnect', () => process.exit())
process.on('message', async (asked: { plan: ClientsPlan } | { run: ClientsRun }) => {
  if ('run' in asked) {
    process.send!(await load(asked.run))
    return
  }
  plan = asked.plan
  sockets = await Promise.all(plan.assessments.map(connect))
  health = await connect()
  process.send!('ready')
})

const connect = (): Promise<Socket<Waiting>> =>
  Bun.connect<Waiting>({
    hostname: '127.0.0.1',
    port: plan.port,
    data: { rest: '', answer: () => {} },
    socket: { data: read },
  })
/** Answers carry a content-length; there is one request at a time. */
function read({ data }: Socket<Waiting>, chunk: Buffer): void {
  data.rest += chunk.toString('latin1')
  const head = data.rest.indexOf(ENDED)
  if (head < 0) return
  const length = /content-length: (\d+)/i.exec(data.rest)
  if (!length) throw new Error(`no content-length: ${data.rest.slice(0, 300)}`)
  if (data.rest.length < head + ENDED.length + Number(length[1])) return
  const [status, body] = [Number(data.rest.slice(9, 12)), data.rest.slice(head + ENDED.length)]
  data.rest = ''
  data.answer(status, body)
}
function send(socket: Socket<Waiting>, method: string, path: string, body = ''): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.data.answer = (status, text) =>
      status < 300 ? resolve() : reject(new Error(`${method} ${path}: ${status} ${text}`))
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${plan.key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
  })
}

async function load({
  ms = Number.POSITIVE_INFINITY,
  orders = Number.POSITIVE_INFINITY,
}: ClientsRun): Promise<ClientsReport> {
  const { symbol, quantity, far } = plan
  const bodies = [
    { symbol, side: 'buy', type: 'market', quantity },
    { symbol, side: 'buy', type: 'limit', time_in_force: 'gtc', quantity, price: far },
    { symbol, side: 'sell', type: 'market', quantity },
  ].map((order) => JSON.stringify(order))
  const [latencies, healthLatencies] = [new Latencies(), new Latencies()]
  const start = performance.now()
  let [sent, last, stallMs] = [0, start, 0]
  const open = () => sent < orders && performance.now() - start < ms
  let done = false
  const watching = (async () => {
    for (; !done; await Bun.sleep(HEALTH_MS)) {
      const from = performance.now()
      await send(health, 'GET', '/health')
      healthLatencies.add(performance.now() - from)
    }
  })()
  await Promise.all(
    sockets.map(async (socket, n) => {
      const path = `/api/assessments/${plan.assessments[n]}/orders`
      for (let k = 0; open() || k % ROUND !== 0; k++) {
        sent++
        const from = performance.now()
        await send(socket, 'POST', path, bodies[k % ROUND])
        const now = performance.now()
        latencies.add(now - from)
        stallMs = Math.max(stallMs, now - last)
        last = now
        if (k % (ROUND * ROUNDS_RESTING) === 1) await send(socket, 'DELETE', path)
      }
    }),
  )
  const tookMs = performance.now() - start
  done = true
  await watching
  return {
    orders: latencies.count,
    tookMs,
    p50: latencies.at(0.5),
    p99: latencies.at(0.99),
    stallMs,
    health: { p99: healthLatencies.at(0.99), count: healthLatencies.count },
  }
}
