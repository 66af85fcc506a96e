import { type Delivery, deliver } from './deliver.ts'
import type { EventLog } from './event-log.ts'

/** Events read ahead, and handled between two commits of the offset. */
const BATCH = 100
const RETRY_MS = 1_000

export interface ReaderOptions extends Omit<Delivery, 'stopping'> {
  partition: number
  from: number
  log: EventLog
}

/** One group's way through one partition: in order, one at a time, the next one only after this one is dealt with. */
export class PartitionReader {
  private position: number
  private readonly delivery: Delivery
  private readonly stopping = new AbortController()
  private readonly finished: Promise<void>
  private wake = () => {}
  private woken = false

  constructor(private readonly options: ReaderOptions) {
    this.position = options.from
    this.delivery = { ...options, stopping: this.stopping.signal }
    this.finished = this.run()
  }

  /** there may be something new */
  notify(): void {
    this.woken = true
    this.wake()
  }

  /** waits for the event in hand; what it did is committed */
  async stop(): Promise<void> {
    this.stopping.abort()
    this.wake()
    await this.finished
  }

  private async run(): Promise<void> {
    const { log, topic, partition, clock, logger } = this.options
    while (!this.stopped) {
      try {
        this.woken = false
        const end = await log.end(topic.name, partition)
        if (this.position < end) await this.advance(end)
        else await this.sleep()
      } catch (error) {
        logger.error({ err: error, topic: topic.name, partition }, 'reading a topic failed')
        await this.pause(clock.sleep(RETRY_MS, this.stopping.signal))
      }
    }
  }

  private async advance(end: number): Promise<void> {
    const { group, log, topic, partition } = this.options
    const events = await log.read(topic.name, partition, this.position, BATCH)
    const before = this.position
    try {
      for (const event of events) {
        if (this.stopped || !(await deliver(event, this.delivery))) return
        this.position = event.offset + 1
      }
      // the rest up to the end were holes, or expired
      if (events.length < BATCH) this.position = Math.max(this.position, end)
    } finally {
      if (this.position !== before) await log.commit(group, topic.name, new Map([[partition, this.position]]))
    }
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted
  }

  private async sleep(): Promise<void> {
    if (this.woken || this.stopped) return
    await new Promise<void>((resolve) => {
      this.wake = resolve
    })
  }

  private async pause(sleeping: Promise<void>): Promise<void> {
    await sleeping.catch((error) => {
      if (!this.stopped) throw error
    })
  }
}
