import { type AnswerHead, AnswerReader, type AnswerSink } from './peer-answer.ts'
import { PeerError } from './peers.ts'

/** A request as it is sent. */
export interface PeerRequest {
  method: string
  /** with its query */
  path: string
  /** whole lines, each with its CRLF; those of the connection and the length are added */
  headerLines: string
  body?: Uint8Array | undefined
  /** until the answer's head, and its body where that is read whole */
  timeoutMs: number
  /** asked for when the answer takes its time; ends the exchange */
  signal?: (() => AbortSignal | undefined) | undefined
}
export interface PeerAnswer {
  status: number
  /** names in lower case; those between two neighbours included */
  headers: [name: string, value: string][]
  /** a body of a known length up to 256 KiB is read whole; another one comes as it is read, only its reader ends it */
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null
}
/** What an exchange needs of its connection. */
export interface Wire {
  /** the head in pieces, a character a byte, and the body behind it */
  send(head: readonly string[], body: Uint8Array | undefined): void
  pause(): void
  resume(): void
  /** nothing more is sent or read */
  drop(): void
  /** the exchange is over and the connection as good as before */
  free(): void
}
/** A body up to this size is read before it is passed on: that is cheaper than a stream of one piece. */
const WHOLE_BYTES = 256 * 1024
/** Of a stream, read and not taken yet; then its connection is not read. */
const AHEAD_BYTES = 256 * 1024

export interface ExchangeOptions {
  request: PeerRequest
  /** headers of this process, beside the request's own */
  ownLines: readonly string[]
  /** for messages */
  where: string
  over: (exchange: Exchange) => void
}

/** One request and its answer on one connection. */
export class Exchange implements AnswerSink {
  readonly answer: Promise<PeerAnswer>
  readonly begunAt = performance.now()
  readonly request: PeerRequest
  /** among those of its pool */
  place = 0
  readonly #resolve: (answer: PeerAnswer) => void
  readonly #reject: (error: PeerError) => void
  readonly #reader: AnswerReader
  #wire: Wire | null = null
  #head: AnswerHead | null = null
  #whole: Uint8Array<ArrayBuffer> | null = null
  #filled = 0
  #stream: ReadableStreamDefaultController<Uint8Array> | null = null
  #isOver = false
  #watched: AbortSignal | undefined
  #abandon: (() => void) | undefined

  constructor(private readonly options: ExchangeOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<PeerAnswer>()
    this.answer = promise
    this.#resolve = resolve
    this.#reject = reject
    this.request = options.request
    this.#reader = new AnswerReader(options.request.method, this)
  }

  get isOver(): boolean {
    return this.#isOver
  }
  /** The answer's head has come and its body is for whom it was given to. */
  get isStream(): boolean {
    return this.#stream !== null
  }

  start(wire: Wire, host: string): void {
    this.#wire = wire
    const { method, path, headerLines, body } = this.request
    const length = body
      ? `content-length: ${body.byteLength}\r\n`
      : method === 'GET' || method === 'HEAD'
        ? ''
        : 'content-length: 0\r\n'
    const { ownLines } = this.options
    wire.send([`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${headerLines}`, ...ownLines, `${length}\r\n`], body)
  }
  /** Throws what the reader throws. */
  read(bytes: Buffer<ArrayBuffer>): void {
    this.#reader.read(bytes)
  }
  /** The connection has ended. */
  closed(): void {
    if (!this.#isOver && !this.#reader.ended()) this.fail('the connection ended')
  }
  /** The request has been under way for a while: whoever asks may go. */
  watch(): void {
    if (this.#watched) return
    this.#watched = this.request.signal?.()
    this.#abandon = () => this.fail('nobody waits for it any more')
    if (this.#watched?.aborted) this.#abandon()
    else this.#watched?.addEventListener('abort', this.#abandon)
  }
  fail(reason: string, cause?: unknown): void {
    if (this.#isOver) return
    this.#over()
    const error = new PeerError(`${this.options.where}: ${reason}`, this.#wire !== null, { cause })
    if (this.#stream) this.#stream.error(error)
    else this.#reject(error)
    this.#wire?.drop()
  }

  head(head: AnswerHead): void {
    this.#head = head
    if (this.#isOver) return
    if (head.length !== null && head.length <= WHOLE_BYTES) return
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#stream = controller
        },
        pull: () => this.#wire?.resume(),
        cancel: () => {
          // it has come whole, its reader was behind: the connection may be another's by now
          if (this.#isOver) return
          this.#over()
          this.#wire?.drop()
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: AHEAD_BYTES }),
    )
    this.#resolve({ status: head.status, headers: head.headers, body })
  }
  data(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#isOver) return
    if (this.#stream) {
      this.#stream.enqueue(bytes)
      if ((this.#stream.desiredSize ?? 0) <= 0) this.#wire!.pause()
      return
    }
    const length = this.#head!.length!
    // read at once, as almost all: Bun gives each read a buffer of its own
    if (bytes.byteLength === length) {
      this.#whole = bytes
      return
    }
    this.#whole ??= new Uint8Array(length)
    this.#whole.set(bytes, this.#filled)
    this.#filled += bytes.byteLength
  }
  end(): void {
    if (this.#isOver) return
    this.#over()
    if (this.#stream) this.#stream.close()
    else this.#resolve({ status: this.#head!.status, headers: this.#head!.headers, body: this.#whole })
    if (this.#reader.keepsAlive) this.#wire!.free()
    else this.#wire!.drop()
  }
  #over(): void {
    this.#isOver = true
    if (this.#abandon) this.#watched?.removeEventListener('abort', this.#abandon)
    this.options.over(this)
  }
}
