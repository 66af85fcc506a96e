import type { ServerWebSocket } from 'bun'
import { Elysia } from 'elysia'
import type { Logger } from 'pino'
import { AssayError } from '../contracts/errors.ts'
import type { ChannelEvent, ChannelSource } from './channel.ts'
import { type FromAsker, type FromSource, LINK_PATH, LINK_UNSENT_BYTES, MOST_ASKED, packError } from './channel-link.ts'
import { toAssayError } from './problem.ts'

type Socket = ServerWebSocket<unknown>

/** The channels of this process for a websocket service elsewhere. */
export function serveChannels(channels: () => readonly ChannelSource[], log: Pick<Logger, 'error'>) {
  return new Elysia({ name: 'kernel.channels' }).get(
    LINK_PATH,
    ({ request, server }) => {
      if (server?.upgrade(request, { data: new Link(channels, log) })) return
      throw new AssayError('bad_request', 'Open a WebSocket here.')
    },
    { detail: { hide: true } },
  )
}

/** One websocket process. It is the socket's `data`: the process's shared handler calls message and close on it. */
class Link {
  readonly #stops = new Map<number, () => void>()
  #waiting = 0
  #closed = false

  constructor(
    private readonly channels: () => readonly ChannelSource[],
    private readonly log: Pick<Logger, 'error'>,
  ) {}

  message(socket: Socket, raw: string): void {
    const asked = (typeof raw === 'string' ? JSON.parse(raw) : raw) as FromAsker
    if (asked.op === 'stop') {
      this.#stops.get(asked.id)?.()
      this.#stops.delete(asked.id)
      return
    }
    if (this.#waiting + this.#stops.size >= MOST_ASKED) {
      socket.close(1013, 'Too many channels on one link')
      return
    }
    this.#waiting++
    this.answer(socket, asked)
      .catch((error: unknown) => {
        const told = toAssayError(error, undefined)
        if (told.status >= 500) this.log.error({ err: error, channel: asked.name, op: asked.op }, 'channel failed')
        this.send(socket, { id: asked.id, error: packError(told) })
      })
      .finally(() => this.#waiting--)
  }
  close(): void {
    this.#closed = true
    for (const stop of this.#stops.values()) stop()
    this.#stops.clear()
  }

  private async answer(socket: Socket, asked: Exclude<FromAsker, { op: 'stop' }>): Promise<void> {
    const { id, key, name } = asked
    const source = this.channels().find((one) => one.name === name)
    if (!source) throw new AssayError('not_found', `There is no channel ${name} here.`)
    if (asked.op === 'listen') {
      this.#stops.set(
        id,
        source.listen(
          key,
          (event: ChannelEvent) => this.send(socket, { id, event }),
          () => this.send(socket, { id, lost: true }),
        ),
      )
      return this.send(socket, { id, value: null })
    }
    this.send(socket, { id, value: (await answerOf(source, asked)) ?? null })
  }
  private send(socket: Socket, message: FromSource): void {
    if (this.#closed) return
    if (socket.send(JSON.stringify(message)) === -1 && socket.getBufferedAmount() > LINK_UNSENT_BYTES)
      socket.close(1013, 'Too many unsent events')
  }
}

function answerOf(source: ChannelSource, asked: Exclude<FromAsker, { op: 'stop' | 'listen' }>): unknown {
  const { key } = asked
  switch (asked.op) {
    case 'parse':
      return source.parse(key)
    case 'authorize':
      return source.authorize(asked.ctx, key)
    case 'snapshot':
      return source.snapshot(asked.ctx, key)
    case 'since':
      return source.since(key, asked.after)
  }
}
