/** One HTTP request on a connection of its own: a storm of these is not held back by a client's pool. */
export interface StormRequest {
  port: number
  path: string
  /** whom the trusted proxy says it is from */
  address: string
  body: object
}

/** Its status; 0 when the connection broke. */
export function sendAlone({ port, path, address, body }: StormRequest): Promise<number> {
  const text = JSON.stringify(body)
  const request =
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\nX-Forwarded-For: ${address}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
  return new Promise((resolve) => {
    let answer = ''
    const done = () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0))
    Bun.connect({
      hostname: '127.0.0.1',
      port,
      socket: {
        open: (socket) => void socket.write(request),
        data(socket, chunk) {
          answer += chunk.toString('latin1')
          if (answer.includes('\r\n\r\n')) {
            done()
            socket.end()
          }
        },
        close: done,
        connectError: done,
        error: done,
      },
    }).catch(done)
  })
}
