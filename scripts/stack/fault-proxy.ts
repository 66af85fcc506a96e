import { connect, createServer, type Server, type Socket } from 'node:net'
import { HOST } from './ports.ts'

/** up: from client to server */
export type Direction = 'up' | 'down'
type Fault =
  | { kind: 'none' }
  | { kind: 'delay'; ms: number }
  | { kind: 'cut' }
  | { kind: 'reset' }
  | { kind: 'swallow'; direction: Direction }

/** A TCP proxy that does to a connection what networks do. One fault at a time; a new one replaces it. */
export interface FaultProxy {
  port: number
  /** host:port for clients */
  address: string
  /** connections open now, and all since the start */
  readonly open: number
  readonly accepted: number
  /** bytes read and thrown away */
  readonly swallowed: number
  /** every byte comes so much later, both ways, in order */
  delay(ms: number): void
  /** connections end, new ones are refused */
  cut(): Promise<void>
  /** connections are reset, new ones too */
  reset(): void
  /** what goes this way is read and lost; the connection stays */
  swallow(direction: Direction): void
  /** as it was; connections that lost bytes are reset, since what follows would make no sense */
  heal(): Promise<void>
  close(): Promise<void>
}

/** Bytes that wait in one direction before its sender is held. */
const MAX_WAITING = 1 << 20

class Link {
  /** bytes of it were thrown away */
  torn = false
  constructor(
    readonly client: Socket,
    readonly server: Socket,
  ) {}
  end(): void {
    this.client.destroy()
    this.server.destroy()
  }
  reset(): void {
    this.client.resetAndDestroy()
    this.server.resetAndDestroy()
  }
}

export async function startFaultProxy({ target, port = 0 }: { target: number; port?: number }): Promise<FaultProxy> {
  let fault: Fault = { kind: 'none' }
  let changed = Promise.withResolvers<void>()
  const links = new Set<Link>()
  let accepted = 0
  let swallowed = 0

  const set = (next: Fault) => {
    fault = next
    changed.resolve()
    changed = Promise.withResolvers<void>()
  }

  const carry = (link: Link, direction: Direction) => {
    const [from, to] = direction === 'up' ? [link.client, link.server] : [link.server, link.client]
    let last = Promise.resolve()
    let waiting = 0
    from.on('data', (bytes: Buffer) => {
      const now = fault
      if (now.kind === 'swallow' && now.direction === direction) {
        link.torn = true
        swallowed += bytes.length
        return
      }
      waiting += bytes.length
      if (waiting > MAX_WAITING) from.pause()
      const due = performance.now() + (now.kind === 'delay' ? now.ms : 0)
      last = last.then(async () => {
        await untilDue(due)
        if (!to.destroyed && !to.write(bytes)) await drained(to)
        waiting -= bytes.length
        if (waiting <= MAX_WAITING) from.resume()
      })
    })
    from.on('end', () => void last.then(() => to.end()))
    from.on('error', () => void last.then(() => to.destroy()))
  }
  /** Waits no longer once the delay is over. */
  const untilDue = async (due: number) => {
    for (let left = due - performance.now(); left > 0 && fault.kind === 'delay'; left = due - performance.now()) {
      const timer = Promise.withResolvers<void>()
      const handle = setTimeout(timer.resolve, left)
      await Promise.race([timer.promise, changed.promise])
      clearTimeout(handle)
    }
  }

  const accept = (client: Socket) => {
    accepted++
    client.setNoDelay(true)
    if (fault.kind === 'reset') {
      client.on('error', () => {})
      client.resetAndDestroy()
      return
    }
    const server = connect({ port: target, host: HOST, allowHalfOpen: true, noDelay: true })
    const link = new Link(client, server)
    links.add(link)
    carry(link, 'up')
    carry(link, 'down')
    for (const socket of [client, server]) socket.on('close', () => ended(link))
  }
  const ended = (link: Link) => {
    if (link.client.destroyed && link.server.destroyed) links.delete(link)
    else if (link.server.destroyed && !link.client.writableEnded) link.client.destroy()
    else if (link.client.destroyed && !link.server.writableEnded) link.server.destroy()
  }

  let listener: Server | undefined = await listen(port, accept)
  const bound = (listener.address() as { port: number }).port
  const unlisten = async () => {
    const closing = listener
    listener = undefined
    for (const link of links) link.end()
    if (closing) await new Promise<void>((resolve) => closing.close(() => resolve()))
  }

  return {
    port: bound,
    address: `${HOST}:${bound}`,
    get open() {
      return links.size
    },
    get accepted() {
      return accepted
    },
    get swallowed() {
      return swallowed
    },
    delay: (ms) => set({ kind: 'delay', ms }),
    swallow: (direction) => set({ kind: 'swallow', direction }),
    reset() {
      set({ kind: 'reset' })
      for (const link of links) link.reset()
    },
    async cut() {
      set({ kind: 'cut' })
      await unlisten()
    },
    async heal() {
      set({ kind: 'none' })
      for (const link of links) if (link.torn) link.reset()
      listener ??= await listen(bound, accept)
    },
    async close() {
      set({ kind: 'cut' })
      await unlisten()
    },
  }
}

async function listen(port: number, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, accept)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, HOST, resolve)
  })
  return server
}

/** Room again, or nobody left to write to. */
const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('drain', resolve)
    socket.once('close', () => resolve())
  })
