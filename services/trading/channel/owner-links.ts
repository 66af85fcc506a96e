import type { ChannelEvent } from '@assay/core/kernel/channel'
import { type FromSource, LINK_PATH } from '@assay/core/kernel/channel-link'
import type { Lifecycle } from '@assay/core/kernel/lifecycle'
import type { Peers } from '@assay/core/kernel/peers'
import type { Clock } from '@assay/core/ports/clock/port'
import type { Engine } from '../engine/engine.ts'

/** The channel that an owner of slots gives to other trading processes: what happens here, never what is asked for elsewhere. */
export const OWNED = 'assessment-owned'
/** How often the owners of the accounts that somebody listens to are looked at. */
const LOOK_MS = 100

type Push = (event: ChannelEvent) => void
interface Listening {
  account: string
  push: Push
  /** where it listens: `here`, a URL, or null while nobody has the slot */
  at: string | null
  stop: () => void
}
export interface OwnerLinksOptions {
  engine: Pick<Engine, 'ownerOf'>
  peers: Pick<Peers, 'connect'>
  clock: Clock
  lifecycle: Pick<Lifecycle, 'background' | 'defer'>
  /** what happens to an account here */
  here: (account: string, push: Push) => () => void
}

/** Listens to accounts where their slots are owned, and follows them when they move: `lost` tells that events may be missing. */
export class OwnerLinks {
  private readonly listening = new Set<Listening & { lost: () => void }>()
  private readonly links = new Map<string, Link>()
  private running = false

  constructor(private readonly options: OwnerLinksOptions) {
    options.lifecycle.defer('links to owners', () => {
      for (const link of this.links.values()) link.close()
    })
  }

  listen(account: string, push: Push, lost: () => void): () => void {
    const one = { account, push, lost, at: null, stop: () => {} }
    this.listening.add(one)
    this.attach(one, false)
    this.run()
    return () => {
      this.listening.delete(one)
      one.stop()
    }
  }

  private run(): void {
    if (this.running) return
    this.running = true
    this.options.lifecycle.background('links to owners', async (signal) => {
      while (this.listening.size > 0 && !signal.aborted) {
        await this.options.clock.sleep(LOOK_MS, signal).catch(() => {})
        for (const one of this.listening) this.attach(one, true)
      }
      this.running = false
    })
  }
  /** Where the owner is another one than before it listens there, then tells that events may be missing. */
  private attach(one: Listening & { lost: () => void }, isLater: boolean): void {
    const at = this.options.engine.ownerOf(one.account)
    if (at === one.at || at === null) return
    one.stop()
    one.at = at
    if (at === 'here') {
      one.stop = this.options.here(one.account, one.push)
      if (isLater) one.lost()
      return
    }
    const begun = () => {
      if (one.at === at) one.lost()
    }
    // asked again at the next look
    const failed = () => {
      if (one.at === at) one.at = 'nowhere'
    }
    one.stop = this.linkTo(at).listen(one, { begun, failed })
  }
  private linkTo(url: string): Link {
    let link = this.links.get(url)
    if (!link) {
      const made: Link = new Link(this.options.peers.connect('trading', url, LINK_PATH), () => {
        // one that ends late does not make its successor forgotten
        if (this.links.get(url) === made) this.links.delete(url)
      })
      link = made
      this.links.set(url, link)
    }
    return link
  }
}

interface Told {
  begun: () => void
  failed: () => void
}
/** One connection to an owner, for all accounts that are listened to there. */
class Link {
  private socket: WebSocket | null = null
  private last = 0
  private readonly open = new Map<number, { one: Listening; told: Told }>()

  constructor(
    private readonly connecting: Promise<WebSocket>,
    private readonly gone: () => void,
  ) {
    connecting.then(
      (socket) => {
        this.socket = socket
        socket.onmessage = ({ data }) => this.receive(JSON.parse(data as string) as FromSource)
        socket.onclose = () => this.fail()
      },
      () => this.fail(),
    )
  }
  listen(one: Listening, told: Told): () => void {
    const id = ++this.last
    this.open.set(id, { one, told })
    this.connecting.then(
      (socket) => {
        if (this.open.has(id)) socket.send(JSON.stringify({ id, op: 'listen', name: OWNED, key: one.account }))
      },
      () => {},
    )
    return () => {
      if (!this.open.delete(id)) return
      this.socket?.send(JSON.stringify({ id, op: 'stop' }))
      if (this.open.size === 0) this.close()
    }
  }
  close(): void {
    this.gone()
    this.connecting.then(
      (socket) => socket.close(),
      () => {},
    )
  }
  private receive(message: FromSource): void {
    const listening = this.open.get(message.id)
    if (!listening) return
    if ('event' in message) listening.one.push(message.event)
    else if ('value' in message || 'lost' in message) listening.told.begun()
    else {
      this.open.delete(message.id)
      listening.told.failed()
    }
  }
  private fail(): void {
    this.gone()
    const open = [...this.open.values()]
    this.open.clear()
    for (const { told } of open) told.failed()
  }
}
