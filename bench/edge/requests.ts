/** Keep-alive clients over bare sockets: each has one request under way. Fails on any answer that is not as expected. */
import type { Socket } from 'bun'

export interface Load {
  port: number
  /** the whole request, head and body */
  request: string
  connections: number
}
interface Waiting {
  rest: string
  answered: () => void
  lost: (error: Error) => void
}
export interface Requests {
  /** sends so many, spread over the connections; resolves when all are answered with 200 */
  send(count: number): Promise<void>
  close(): void
}
const ENDED = '\r\n\r\n'

export async function openRequests({ port, request, connections }: Load): Promise<Requests> {
  const bytes = Buffer.from(request)
  const sockets = await Promise.all(
    Array.from({ length: connections }, () =>
      Bun.connect<Waiting>({
        hostname: '127.0.0.1',
        port,
        data: { rest: '', answered: () => {}, lost: () => {} },
        socket: { data: read, close: ({ data }) => data.lost(new Error('a connection was closed')) },
      }),
    ),
  )
  return {
    async send(count) {
      let left = count
      await Promise.all(
        sockets.map(
          (socket) =>
            new Promise<void>((resolve, reject) => {
              const next = () => {
                if (left-- <= 0) return resolve()
                if (socket.write(bytes) < bytes.length)
                  reject(new Error('a connection was closed, or takes no request'))
              }
              Object.assign(socket.data, { answered: next, lost: reject })
              next()
            }),
        ),
      )
    },
    close() {
      for (const socket of sockets) {
        socket.data.lost = () => {}
        socket.end()
      }
    },
  }
}

/** Answers carry a content-length. */
function read({ data }: Socket<Waiting>, chunk: Buffer): void {
  data.rest = data.rest === '' ? chunk.toString('latin1') : data.rest + chunk.toString('latin1')
  const head = data.rest.indexOf(ENDED)
  if (head < 0) return
  const length = /\r\ncontent-length: (\d+)/i.exec(data.rest)
  if (!length || !data.rest.startsWith('200', 9)) {
    data.lost(new Error(`an answer is not as expected: ${data.rest.slice(0, 300)}`))
    return
  }
  if (data.rest.length < head + ENDED.length + Number(length[1])) return
  data.rest = ''
  data.answered()
}
