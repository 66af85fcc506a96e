import net from 'node:net'
import type { ServerMessage } from '../push/protocol.ts'

/** A client on a bare socket: it can stop reading, which a WebSocket object cannot, and never answers a ping. */
export interface RawClient {
  messages: ServerMessage[]
  send(op: object): void
  pause(): void
  resume(): void
  /** the server's close frame */
  close: { code: number; reason: string } | null
  destroy(): void
}

export async function connectRaw(host: string, path: string, token: string): Promise<RawClient> {
  const [address, port] = host.split(':')
  const socket = net.connect(Number(port), address)
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64')
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Protocol: bearer, ${token}\r\n\r\n`,
  )
  const client: RawClient = {
    messages: [],
    close: null,
    send: (op) => socket.write(masked(1, Buffer.from(JSON.stringify(op)))),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    destroy: () => socket.destroy(),
  }
  let rest = Buffer.alloc(0)
  await new Promise<void>((resolve, reject) => {
    let open = false
    socket.on('error', reject)
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      if (!open) {
        const end = rest.indexOf('\r\n\r\n')
        if (end < 0) return
        open = true
        rest = rest.subarray(end + 4)
        resolve()
      }
      rest = rest.subarray(readFrames(rest, (opcode, payload) => take(client, opcode, payload)))
    })
  })
  return client
}

function take(client: RawClient, opcode: number, payload: Buffer): void {
  if (opcode === 1) client.messages.push(JSON.parse(payload.toString()))
  else if (opcode === 8) client.close = { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() }
}
/** Server frames are not masked. Returns the bytes read. */
function readFrames(bytes: Buffer, onFrame: (opcode: number, payload: Buffer) => void): number {
  let at = 0
  while (bytes.length - at >= 2) {
    const short = bytes[at + 1]! & 0x7f
    const header = short < 126 ? 2 : short === 126 ? 4 : 10
    if (bytes.length - at < header) break
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    if (bytes.length - at < header + length) break
    onFrame(bytes[at]! & 0x0f, bytes.subarray(at + header, at + header + length))
    at += header + length
  }
  return at
}
function masked(opcode: number, payload: Buffer): Buffer {
  const header =
    payload.length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | payload.length])
      : Buffer.from([0x80 | opcode, 0xfe, payload.length >> 8, payload.length & 255])
  // a mask of zeros leaves the payload as it is
  return Buffer.concat([header, Buffer.alloc(4), payload])
}
