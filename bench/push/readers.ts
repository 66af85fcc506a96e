/** The clients of bench/push, in a process of their own: bare sockets that count frames and read the due time of each message. */
import type { Socket } from 'bun'
import { Latencies } from '../measure/latencies.ts'

export interface ReadersPlan {
  port: number
  path: string
  protocols: (string | null)[]
  hello: string | null
  /** where a message carries its due time */
  stamp: { field: string; perMs: number }
  /** the last ones of `protocols` stop reading once they are told to */
  stalled: number
  /** off: frames are only counted, so that the reader is not what is measured */
  timed: boolean
}
export interface ReadersReport {
  /** messages read since the last reset */
  frames: number
  latencies: { p50: number; p99: number; p999: number; count: number }
}
type Request = { plan: ReadersPlan } | { do: 'stall' | 'reset' | 'report' }
interface Reader {
  rest: Buffer
  open: boolean
}

const TEXT = 0x81
const PING = 0x89
const PONG = 0x8a
let frames = 0
let latencies = new Latencies()
const sockets: Socket<Reader>[] = []
let plan: ReadersPlan
let field: Buffer
let opened = 0

// the bench failed or was stopped
process.on('disconnect', () => process.exit())
process.on('message', async (request: Request) => {
  if ('plan' in request) await connectAll(request.plan)
  else if (request.do === 'stall') for (const socket of sockets.slice(sockets.length - plan.stalled)) socket.pause()
  else if (request.do === 'reset') reset()
  else report()
})

async function connectAll(given: ReadersPlan): Promise<void> {
  plan = given
  field = Buffer.from(plan.stamp.field)
  for (const protocol of plan.protocols) {
    sockets.push(
      await Bun.connect<Reader>({
        hostname: '127.0.0.1',
        port: plan.port,
        data: { rest: Buffer.alloc(0), open: false },
        socket: { open: (socket) => shake(socket, protocol), data },
      }),
    )
  }
}
function shake(socket: Socket<Reader>, protocol: string | null): void {
  const lines = [
    `GET ${plan.path} HTTP/1.1`,
    `Host: 127.0.0.1:${plan.port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  if (protocol !== null) lines.push(`Sec-WebSocket-Protocol: ${protocol}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
}
function data(socket: Socket<Reader>, chunk: Buffer): void {
  const reader = socket.data
  let bytes = reader.rest.length > 0 ? Buffer.concat([reader.rest, chunk]) : chunk
  if (!reader.open) {
    const end = bytes.indexOf('\r\n\r\n')
    if (end < 0) throw new Error(`No handshake: ${bytes}`)
    if (!bytes.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101')))
      throw new Error(`Refused: ${bytes.subarray(0, 200)}`)
    reader.open = true
    if (plan.hello !== null) socket.write(frame(TEXT, plan.hello))
    if (++opened === plan.protocols.length) process.send!({ ready: true })
    bytes = bytes.subarray(end + 4)
  }
  reader.rest = Buffer.from(bytes.subarray(readFrames(socket, bytes)))
}
function readFrames(socket: Socket<Reader>, bytes: Buffer): number {
  const now = performance.timeOrigin + performance.now()
  let at = 0
  while (bytes.length - at >= 2) {
    const short = bytes[at + 1]!
    const header = short < 126 ? 2 : short === 126 ? 4 : 10
    if (bytes.length - at < header) break
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    if (bytes.length - at < header + length) break
    if (bytes[at] === TEXT) take(bytes, at + header, length, now)
    else if (bytes[at] === PING) socket.write(frame(PONG, ''))
    at += header + length
  }
  return at
}
function take(bytes: Buffer, start: number, length: number, now: number): void {
  if (!plan.timed) {
    frames++
    return
  }
  const found = bytes.indexOf(field, start)
  if (found < 0 || found > start + length) return
  frames++
  const value = Number.parseFloat(bytes.toString('latin1', found + field.length, found + field.length + 20))
  latencies.add(now - value / plan.stamp.perMs)
}
function reset(): void {
  frames = 0
  latencies = new Latencies()
}
function report(): void {
  const [p50, p99, p999] = [0.5, 0.99, 0.999].map((share) => latencies.at(share)) as [number, number, number]
  process.send!({ frames, latencies: { p50, p99, p999, count: latencies.count } } satisfies ReadersReport)
}
/** Clients must mask; a mask of zeros leaves the payload as it is. */
function frame(kind: number, text: string): Buffer {
  const payload = Buffer.from(text)
  const length = payload.length < 126 ? [0x80 | payload.length] : [0xfe, payload.length >> 8, payload.length & 255]
  return Buffer.concat([Buffer.from([kind, ...length, 0, 0, 0, 0]), payload])
}
