import { Duplex } from 'node:stream'

/** Authentication is done, ready for a query: what a server says after the start-up message. */
const GREETING = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])
const TERMINATE = 'X'.charCodeAt(0)

/** What `pg` takes for a TCP connection: each exchange is one message to the PGlite thread. */
export class PgliteSocket extends Duplex {
  private started = false

  constructor(
    private readonly send: (bytes: Uint8Array) => void,
    private readonly disconnect: () => void,
  ) {
    super()
  }

  connect(): this {
    process.nextTick(() => this.emit('connect'))
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.forward([chunk])
    done()
  }
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.forward(chunks.map(({ chunk }) => chunk))
    done()
  }
  /** Both directions close at once: `pg` waits for the close of a connection that it ended. */
  override _final(done: () => void): void {
    done()
    this.destroy()
  }
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.disconnect()
    done(error)
  }

  private forward(chunks: Buffer[]): void {
    if (!this.started) {
      this.started = true
      this.push(GREETING)
    } else if (chunks[0]![0] !== TERMINATE) {
      this.send(concat(chunks))
    }
  }
}

/** Into a buffer of its own, which can be moved to another thread. */
function concat(chunks: Buffer[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
