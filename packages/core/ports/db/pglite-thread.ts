import type { FromPglite, ToPglite } from './pglite-protocol.ts'
import { PgliteSocket } from './pglite-socket.ts'

/** The thread that PGlite lives in, and the sockets into it. */
export class PgliteThread {
  private readonly sockets = new Map<number, PgliteSocket>()
  private lastSession = 0
  private waiter: { resolve: () => void; reject: (error: Error) => void } | undefined

  private constructor(
    private readonly worker: Worker,
    onFailure: (error: Error) => void,
  ) {
    worker.onmessage = ({ data }: MessageEvent<FromPglite>) => this.receive(data)
    worker.onerror = (event) => {
      const error = new Error(`PGlite: ${event.message}`)
      onFailure(error)
      this.waiter?.reject(error)
      for (const socket of this.sockets.values()) socket.destroy(error)
    }
  }

  static async open(folder: string, onFailure: (error: Error) => void): Promise<PgliteThread> {
    const thread = new PgliteThread(new Worker(new URL('./pglite-worker.ts', import.meta.url).href), onFailure)
    await thread.ask({ kind: 'open', folder }).catch((error) => {
      thread.worker.terminate()
      throw error
    })
    return thread
  }

  socket(role: string | null): PgliteSocket {
    const session = ++this.lastSession
    this.post({ kind: 'connect', session, role })
    const socket = new PgliteSocket(
      (bytes) => this.post({ kind: 'send', session, bytes }, [bytes.buffer]),
      () => {
        this.sockets.delete(session)
        this.post({ kind: 'disconnect', session })
      },
    )
    this.sockets.set(session, socket)
    return socket
  }

  async close(): Promise<void> {
    await this.ask({ kind: 'close' })
    this.worker.terminate()
  }

  private ask(message: ToPglite): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiter = { resolve, reject }
      this.post(message)
    })
  }

  private receive(message: FromPglite): void {
    switch (message.kind) {
      case 'answer':
        this.sockets.get(message.session)?.push(Buffer.from(message.bytes.buffer))
        return
      case 'failed':
        this.waiter?.reject(new Error(message.message))
        return
      default:
        this.waiter?.resolve()
    }
  }

  private post(message: ToPglite, move: ArrayBufferLike[] = []): void {
    this.worker.postMessage(message, move as ArrayBuffer[])
  }
}
