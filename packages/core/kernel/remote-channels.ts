import type { Logger } from 'pino'
import { AssayError } from '../contracts/errors.ts'
import { SERVICES } from '../contracts/services.ts'
import type { Clock } from '../ports/clock/port.ts'
import { rotation } from './call-replicas.ts'
import type { ChannelEvent, ChannelSource } from './channel.ts'
import { type Ask, type FromSource, LINK_PATH, linkCtx, MOST_ASKED, unpackError } from './channel-link.ts'
import type { Lifecycle } from './lifecycle.ts'
import { PeerError, type Peers } from './peers.ts'

export interface RemoteChannelsOptions {
  peers: Peers
  clock: Clock
  log: Pick<Logger, 'warn'>
  lifecycle: Lifecycle
}
const ANSWER_MS = 10_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000

/** The channels that services elsewhere declare, by a link to one replica of each; another one when that is lost. */
export function remoteChannels(isHere: (service: string) => boolean, options: RemoteChannelsOptions): ChannelSource[] {
  return SERVICES.filter(({ name, channels }) => channels && !isHere(name)).flatMap(({ name, channels }) => {
    const link = new RemoteLink(name, options)
    return channels!.map((channel) => sourceOf(channel, link))
  })
}

const sourceOf = (name: string, link: RemoteLink): ChannelSource => ({
  name,
  parse: (key) => link.ask<string | null>({ op: 'parse', name, key }),
  authorize: (ctx, key) => link.ask({ op: 'authorize', name, key, ctx: linkCtx(ctx) }),
  snapshot: (ctx, key) => link.ask({ op: 'snapshot', name, key, ctx: linkCtx(ctx) }),
  since: (key, after) => link.ask({ op: 'since', name, key, after }),
  listen: (key, push, lost) => link.listen({ name, key, push, lost: lost ?? (() => {}) }),
})

interface Listening {
  name: string
  key: string
  push: (event: ChannelEvent) => void
  lost: () => void
}
interface Waiting {
  resolve: (value: never) => void
  reject: (error: unknown) => void
  timer: ReturnType<typeof setTimeout>
}

class RemoteLink {
  #socket: WebSocket | undefined
  #opening: Promise<WebSocket> | undefined
  #lastId = 0
  #failures = 0
  #ended = false
  readonly #waiting = new Map<number, Waiting>()
  readonly #listening = new Map<number, Listening>()
  readonly #turns: ReturnType<typeof rotation>

  constructor(
    private readonly service: string,
    private readonly options: RemoteChannelsOptions,
  ) {
    this.#turns = rotation(options.clock)
    options.lifecycle.defer(`channels of ${service}`, () => {
      this.#ended = true
      this.#socket?.close()
    })
  }

  async ask<T>(ask: Ask): Promise<T> {
    if (this.#waiting.size >= MOST_ASKED) throw this.unavailable()
    const socket = await this.open()
    return this.send<T>(socket, ++this.#lastId, ask)
  }

  /** The first events may come before the first answer of anything else: order on one link is the source's. */
  listen(listening: Listening): () => void {
    const id = ++this.#lastId
    this.#listening.set(id, listening)
    const { name, key } = listening
    // where the link is away it listens again when it is back, and says that events may be missing
    this.open()
      .then((socket) => this.#listening.has(id) && this.send(socket, id, { op: 'listen', name, key }))
      .catch(() => {})
    return () => {
      this.#listening.delete(id)
      this.#socket?.send(JSON.stringify({ id, op: 'stop' }))
    }
  }

  private send<T>(socket: WebSocket, id: number, ask: Ask): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(this.unavailable())
      }, ANSWER_MS)
      this.#waiting.set(id, { resolve, reject, timer })
      socket.send(JSON.stringify({ id, ...ask }))
    })
  }

  private open(): Promise<WebSocket> {
    if (this.#socket) return Promise.resolve(this.#socket)
    this.#opening ??= this.connect().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  private async connect(): Promise<WebSocket> {
    for (const url of this.#turns.order(this.service, this.options.peers.replicas(this.service))) {
      try {
        const socket = await this.options.peers.connect(this.service, url, LINK_PATH)
        socket.onmessage = ({ data }) => this.receive(JSON.parse(data as string) as FromSource)
        socket.onclose = () => this.closed(socket, url)
        this.#socket = socket
        this.#failures = 0
        return socket
      } catch (error) {
        if (!(error instanceof PeerError)) throw error
        this.#turns.avoid(url)
      }
    }
    throw this.unavailable()
  }

  private receive(message: FromSource): void {
    if ('event' in message) {
      this.#listening.get(message.id)?.push(message.event)
      return
    }
    if ('lost' in message) {
      this.#listening.get(message.id)?.lost()
      return
    }
    const waiting = this.#waiting.get(message.id)
    if (!waiting) return
    this.#waiting.delete(message.id)
    clearTimeout(waiting.timer)
    if ('error' in message) waiting.reject(unpackError(message.error))
    else waiting.resolve(message.value as never)
  }

  private closed(socket: WebSocket, url: string): void {
    if (this.#socket !== socket) return
    this.#socket = undefined
    this.#turns.avoid(url)
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(this.unavailable())
    }
    this.#waiting.clear()
    if (this.#ended || this.#listening.size === 0) return
    this.options.log.warn({ service: this.service, url }, 'the link to its channels was lost')
    void this.resume()
  }

  /** Listens again to all that is listened to, then tells that events may be missing. */
  private async resume(): Promise<void> {
    while (!this.#ended && this.#listening.size > 0) {
      try {
        const socket = await this.open()
        await Promise.all(
          [...this.#listening].map(async ([id, { name, key }]) => {
            await this.send(socket, id, { op: 'listen', name, key })
            this.#listening.get(id)?.lost()
          }),
        )
        return
      } catch {
        // a link that is lost meanwhile resumes by itself
        if (this.#socket) return
        const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++)
        await this.options.clock.sleep(pause, this.options.lifecycle.signal).catch(() => {})
      }
    }
  }

  private unavailable(): AssayError {
    return new AssayError('unavailable', `${this.service} does not answer.`, { retryAfterS: 1, retryable: true })
  }
}
