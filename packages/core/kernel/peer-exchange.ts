import { type AnswerHead, AnswerReader } from './peer-answer.ts'
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
  send(bytes: Uint8Array): void
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

/** One request and its answer on one connection. */
export class Exchange {
  readonly #answered = Promise.withResolvers<PeerAnswer>()
  readonly answer: Promise<PeerAnswer> = this.#answered.promise
  readonly #reader: AnswerReader
  #wire: Wire | null = null
  #head: AnswerHead | null = null
  #whole: Uint8Array<ArrayBuffer> | null = null
  #filled = 0
  #stream: ReadableStreamDefaultController<Uint8Array> | null = null
  #isOver = false
  #watched: AbortSignal | undefined

  constructor(
    readonly request: PeerRequest,
    private readonly where: string,
    readonly begunAt: number,
    private readonly over: (exchange: Exchange) => void,
  ) {
    this.#reader = new AnswerReader(request.method, {
      head: (head) => this.#begin(head),
      data: (bytes) => this.#take(bytes),
      end: () => this.#end(),
    })
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
    const head = Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${headerLines}${length}\r\n`, 'latin1')
    wire.send(body && body.byteLength > 0 ? Buffer.concat([head, body]) : head)
  }
  /** Throws what the reader throws. */
  read(bytes: Buffer): void {
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
    if (this.#watched?.aborted) this.#abandon()
    else this.#watched?.addEventListener('abort', this.#abandon)
  }
  fail(reason: string, cause?: unknown): void {
    if (this.#isOver) return
    this.#over()
    const error = new PeerError(`${this.where}: ${reason}`, this.#wire !== null, { cause })
    if (this.#stream) this.#stream.error(error)
    else this.#answered.reject(error)
    this.#wire?.drop()
  }

  readonly #abandon = (): void => this.fail('nobody waits for it any more')

  #begin(head: AnswerHead): void {
    this.#head = head
    if (this.#isOver) return
    if (head.length === 0) return
    if (head.length !== null && head.length <= WHOLE_BYTES) {
      this.#whole = new Uint8Array(head.length)
      return
    }
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#stream = controller
        },
        pull: () => this.#wire?.resume(),
        cancel: () => {
          this.#over()
          this.#wire?.drop()
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: AHEAD_BYTES }),
    )
    this.#answered.resolve({ status: head.status, headers: head.headers, body })
  }
  #take(bytes: Uint8Array): void {
    if (this.#isOver) return
    if (this.#whole) {
      this.#whole.set(bytes, this.#filled)
      this.#filled += bytes.byteLength
      return
    }
    this.#stream!.enqueue(bytes.slice())
    if ((this.#stream!.desiredSize ?? 0) <= 0) this.#wire!.pause()
  }
  #end(): void {
    if (this.#isOver) return
    this.#over()
    if (this.#stream) this.#stream.close()
    else this.#answered.resolve({ status: this.#head!.status, headers: this.#head!.headers, body: this.#whole })
    if (this.#reader.keepsAlive) this.#wire!.free()
    else this.#wire!.drop()
  }
  #over(): void {
    this.#isOver = true
    this.#watched?.removeEventListener('abort', this.#abandon)
    this.over(this)
  }
}
