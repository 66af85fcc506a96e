import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { version } from 'ws/package.json'
import type { FanOut } from '../push/fan-out.ts'
import { tickData } from '../push/ours.ts'

// by its path: under the bare name Bun gives its own imitation of the package
const { WebSocketServer }: typeof import('ws') = await import(`${import.meta.dir}/../../node_modules/ws/wrapper.mjs`)

const MAX_BUFFERED = 1024 * 1024
const FLUSH_MS = 4

/** The `ws` package at its best: a tick encoded once, sockets corked over what a turn or 4 ms brought, slow clients skipped. */
export async function wsPackage(): Promise<FanOut> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/ws', perMessageDeflate: false })
  await new Promise((resolve) => server.once('listening', resolve))
  let batch: Buffer[] = []
  let seq = 0
  let last = 0
  let skipped = 0
  const flush = () => {
    const frames = batch
    batch = []
    for (const client of server.clients) {
      if (client.bufferedAmount < MAX_BUFFERED) write(client, frames)
      else skipped += frames.length
    }
    last = performance.now()
  }
  return {
    name: `ws ${version} on Bun ${Bun.version}, encoded once, corked`,
    port: (server.address() as { port: number }).port,
    path: '/ws',
    protocol: () => null,
    hello: null,
    publish(symbol, at) {
      const message = {
        type: 'event',
        channel: `ticks:S${symbol}/USD`,
        seq: ++seq,
        ts: Math.floor(at),
        data: tickData(at),
      }
      if (batch.push(Buffer.from(JSON.stringify(message))) > 1) return
      const wait = last + FLUSH_MS - performance.now()
      if (wait > 0) setTimeout(flush, wait)
      else setImmediate(flush)
    },
    skipped: () => skipped,
    stop: () =>
      new Promise((resolve) => {
        for (const client of server.clients) client.terminate()
        server.close(() => resolve())
      }),
  }
}
function write(client: WebSocket, frames: readonly Buffer[]): void {
  const { _socket: socket } = client as unknown as { _socket: Socket }
  socket.cork()
  for (const frame of frames) client.send(frame, { binary: false })
  socket.uncork()
}
