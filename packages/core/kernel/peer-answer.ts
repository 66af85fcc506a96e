/** Bytes of an HTTP/1.1 answer's head, or of one line of its chunks, before it counts as broken. */
const MOST_HEAD = 64 * 1024
const MOST_LINE = 4 * 1024
const [CR, LF] = [13, 10]
const HEAD_END = Buffer.from('\r\n\r\n')

/** Not HTTP/1.1 as RFC 9112 has it: nothing on this connection can be trusted any more. */
export class BrokenAnswerError extends Error {
  override name = 'BrokenAnswerError'
}
export interface AnswerHead {
  status: number
  /** names in lower case, in the order they came */
  headers: [name: string, value: string][]
  /** of the body, where the answer says it; null: in chunks, or until the connection ends */
  length: number | null
}
export interface AnswerSink {
  head(head: AnswerHead): void
  /** a view of what was read, which nobody writes to again */
  data(bytes: Uint8Array<ArrayBuffer>): void
  end(): void
}

/** Reads one answer from the bytes of a connection, as they come (RFC 9112). Answers 1xx are left out. */
export class AnswerReader {
  #mode: 'head' | 'body' | 'size' | 'chunk' | 'chunk-end' | 'trailer' | 'open' | 'done' = 'head'
  #rest: Buffer | null = null
  #line = ''
  #left = 0
  /** the connection may carry another request afterwards; known once the head is */
  keepsAlive = true

  constructor(
    private readonly method: string,
    private readonly sink: AnswerSink,
  ) {}

  /** Throws BrokenAnswerError. */
  read(read: Buffer<ArrayBuffer>): void {
    let bytes = read
    let at = 0
    if (this.#mode === 'head') {
      if (this.#rest) bytes = Buffer.concat([this.#rest, read])
      at = this.#heads(bytes)
    }
    while (at < bytes.length) at = this.#body(bytes, at)
  }
  /** The connection has ended. False: before the answer had. */
  ended(): boolean {
    if (this.#mode === 'open') this.#finish()
    return this.#mode === 'done'
  }

  /** Reads heads until one is final; gives where its body begins. */
  #heads(bytes: Buffer<ArrayBuffer>): number {
    let at = 0
    while (this.#mode === 'head') {
      const end = bytes.indexOf(HEAD_END, at)
      if (end < 0) {
        if (bytes.length - at > MOST_HEAD) throw new BrokenAnswerError(`a head of over ${MOST_HEAD} bytes`)
        this.#rest = Buffer.from(bytes.subarray(at))
        return bytes.length
      }
      this.#head(bytes.toString('latin1', at, end))
      at = end + 4
    }
    this.#rest = null
    return at
  }

  #head(text: string): void {
    let end = lineEnd(text, 0)
    const [, minor, code] = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(text.slice(0, end)) ?? []
    if (!code) throw new BrokenAnswerError('no status line')
    const status = Number(code)
    if (status < 200) {
      if (status === 101) throw new BrokenAnswerError('it changed the protocol')
      return
    }
    const headers: [string, string][] = []
    let length: number | null = null
    let isChunked = false
    this.keepsAlive = minor === '1'
    while (end < text.length) {
      const begin = end + 2
      end = lineEnd(text, begin)
      const colon = text.indexOf(':', begin)
      if (colon <= begin || colon > end) throw new BrokenAnswerError('a header without a name')
      const name = text.slice(begin, colon).toLowerCase()
      const value = text.slice(colon + 1, end).trim()
      headers.push([name, value])
      if (name === 'content-length') {
        if (!/^\d{1,15}$/.test(value) || (length !== null && length !== Number(value)))
          throw new BrokenAnswerError('a length that is none')
        length = Number(value)
      } else if (name === 'transfer-encoding') {
        if (value.toLowerCase() !== 'chunked') throw new BrokenAnswerError(`the transfer encoding ${value}`)
        isChunked = true
      } else if (name === 'connection' && /\bclose\b/i.test(value)) this.keepsAlive = false
    }
    if (isChunked && length !== null) throw new BrokenAnswerError('a length and chunks')
    if (this.method === 'HEAD' || status === 204 || status === 304) length = 0
    else if (isChunked) this.#mode = 'size'
    else if (length === null) {
      this.#mode = 'open'
      this.keepsAlive = false
    }
    this.#left = length ?? 0
    this.sink.head({ status, headers, length })
    if (length === 0) this.#finish()
    else if (length !== null) this.#mode = 'body'
  }

  /** Gives where it goes on. */
  #body(bytes: Buffer<ArrayBuffer>, at: number): number {
    switch (this.#mode) {
      case 'open':
        this.sink.data(bytes.subarray(at))
        return bytes.length
      case 'body':
      case 'chunk': {
        const end = Math.min(bytes.length, at + this.#left)
        this.#left -= end - at
        this.sink.data(bytes.subarray(at, end))
        if (this.#left > 0) return end
        if (this.#mode === 'body') this.#finish()
        else this.#mode = 'chunk-end'
        return end
      }
      case 'done':
        throw new BrokenAnswerError('more than the answer')
      default:
        return this.#lineFrom(bytes, at)
    }
  }

  /** Of the chunks' frame; it may come in pieces. */
  #lineFrom(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LF, at)
    this.#line += bytes.toString('latin1', at, end < 0 ? bytes.length : end)
    if (this.#line.length > MOST_LINE) throw new BrokenAnswerError('a line without an end')
    if (end < 0) return bytes.length
    if (this.#line.charCodeAt(this.#line.length - 1) !== CR) throw new BrokenAnswerError('a line without CR')
    const line = this.#line.slice(0, -1)
    this.#line = ''
    if (this.#mode === 'trailer') {
      if (line === '') this.#finish()
    } else if (this.#mode === 'chunk-end') {
      if (line !== '') throw new BrokenAnswerError('a chunk longer than it said')
      this.#mode = 'size'
    } else this.#size(line)
    return end + 1
  }
  #size(line: string): void {
    const size = /^([\da-f]{1,8})\s*(?:;|$)/i.exec(line)?.[1]
    if (!size) throw new BrokenAnswerError('a chunk without a size')
    this.#left = Number.parseInt(size, 16)
    this.#mode = this.#left > 0 ? 'chunk' : 'trailer'
  }

  #finish(): void {
    this.#mode = 'done'
    this.sink.end()
  }
}

function lineEnd(text: string, from: number): number {
  const at = text.indexOf('\r\n', from)
  return at < 0 ? text.length : at
}
