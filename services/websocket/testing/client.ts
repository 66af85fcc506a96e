import { decode, encode } from '@msgpack/msgpack'
import type { ServerMessage } from '../push/protocol.ts'

/** A WebSocket client that keeps what it got. Waits poll with a deadline. */
export interface TestClient {
  socket: WebSocket
  messages: ServerMessage[]
  send(op: object): void
  /** the first message that fits, now or later */
  next(fits: (message: ServerMessage) => boolean): Promise<ServerMessage>
  closed: Promise<{ code: number; reason: string }>
}
export interface ClientOptions {
  protocols?: string[]
  headers?: Record<string, string>
  msgpack?: boolean
  onMessage?: (message: ServerMessage) => void
}

export async function connect(
  url: string,
  { protocols = [], headers = {}, msgpack = false, onMessage }: ClientOptions = {},
): Promise<TestClient> {
  const socket = new WebSocket(url, { protocols, headers } as unknown as string[])
  socket.binaryType = 'arraybuffer'
  const messages: ServerMessage[] = []
  socket.onmessage = ({ data }) => {
    const message = (typeof data === 'string' ? JSON.parse(data) : decode(data)) as ServerMessage
    messages.push(message)
    onMessage?.(message)
  }
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.onclose = ({ code, reason }) => resolve({ code, reason })
  })
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve()
    socket.onerror = () => reject(new Error('The connection was refused'))
  })
  return {
    socket,
    messages,
    closed,
    send: (op) => socket.send(msgpack ? encode(op) : JSON.stringify(op)),
    next: (fits) => until(() => messages.find(fits)),
  }
}
/** Polls until there is a value; rejects after the deadline. */
export async function until<T>(read: () => T | undefined | false | null, deadlineMs = 5_000): Promise<T> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const value = read()
    if (value !== undefined && value !== false && value !== null) return value
    if (performance.now() > end) throw new Error(`Not within ${deadlineMs} ms: ${read}`)
    await Bun.sleep(1)
  }
}
