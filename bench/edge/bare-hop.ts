/** A hop without any duty, as `fetch` does it or over kept TLS sockets: what Bun itself costs, below which nobody gets. */
import { readFileSync } from 'node:fs'
import type { Socket } from 'bun'

const [how, ca, cert, key, upstream] = process.argv.slice(2)
const pem = (path: string | undefined) => readFileSync(path!, 'utf8')
const tls = {
  ca: pem(ca),
  cert: pem(cert),
  key: pem(key),
  serverName: 'trading.assay.internal',
  rejectUnauthorized: true,
}
const url = `https://127.0.0.1:${upstream}/api/tiers`
const answer = { headers: { 'content-type': 'application/json' } }
const request = Buffer.from(`GET /api/tiers HTTP/1.1\r\nHost: 127.0.0.1:${upstream}\r\n\r\n`)

interface Waiting {
  give: (body: Uint8Array<ArrayBuffer>) => void
  rest: Buffer
}
const idle: Socket<Waiting>[] = []
const connected = () =>
  new Promise<Socket<Waiting>>((resolve) => {
    void Bun.connect<Waiting>({
      hostname: '127.0.0.1',
      port: Number(upstream),
      data: { give: () => {}, rest: Buffer.alloc(0) },
      tls: tls as never,
      socket: { handshake: (socket) => resolve(socket), data: read },
    })
  })
function read(socket: Socket<Waiting>, bytes: Buffer): void {
  const { data } = socket
  const all = data.rest.length > 0 ? Buffer.concat([data.rest, bytes]) : bytes
  const head = all.indexOf('\r\n\r\n')
  if (head < 0 || all.length < head + 4 + bodyLength(all.toString('latin1', 0, head))) {
    data.rest = Buffer.from(all)
    return
  }
  data.rest = Buffer.alloc(0)
  idle.push(socket)
  data.give(new Uint8Array(all.subarray(head + 4)))
}
const bodyLength = (head: string): number => Number(/content-length: (\d+)/i.exec(head)?.[1])

async function bySocket(): Promise<Response> {
  const socket = idle.pop() ?? (await connected())
  const body = await new Promise<Uint8Array<ArrayBuffer>>((give) => {
    socket.data.give = give
    socket.write(request)
  })
  return new Response(body, answer)
}
const byFetch = ({ headers }: Request) => fetch(url, { headers, tls } as RequestInit)

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  idleTimeout: 255,
  development: false,
  fetch: how === 'fetch' ? byFetch : bySocket,
})
// the bench failed or was stopped
process.on('disconnect', () => process.exit())
process.send!(server.port)
