import type { Logger } from 'pino'
import type { Clock } from '../clock/port.ts'
import type { EventLog, Stored } from './event-log.ts'
import { type Delivered, PoisonError, type Topic } from './port.ts'

/** Events read ahead, and handled between two commits of the offset. */
const BATCH = 100
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1_000

export interface ReaderOptions {
  group: string
  topic: Topic
  partition: number
  from: number
  maxAttempts: number
  log: EventLog
  clock: Clock
  logger: Pick<Logger, 'error' | 'warn'>
  handle: (message: Delivered) => Promise<void>
  bury: (message: Stored, attempts: number, error: unknown) => Promise<void>
}

/** One group's way through one partition: in order, one at a time, the next one only after this one is dealt with. */
export class PartitionReader {
  private position: number
  private readonly stopping = new AbortController()
  private readonly finished: Promise<void>
  private wake = () => {}
  private woken = false

  constructor(private readonly options: ReaderOptions) {
    this.position = options.from
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
        await this.pause(clock.sleep(LONGEST_PAUSE_MS, this.stopping.signal))
      }
    }
  }

  private async advance(end: number): Promise<void> {
    const { group, log, topic, partition } = this.options
    const events = await log.read(topic.name, partition, this.position, BATCH)
    const before = this.position
    try {
      for (const event of events) {
        if (this.stopped || !(await this.deliver(event))) return
        this.position = event.offset + 1
      }
      // the rest up to the end were holes, or expired
      if (events.length < BATCH) this.position = Math.max(this.position, end)
    } finally {
      if (this.position !== before) await log.commit(group, topic.name, new Map([[partition, this.position]]))
    }
  }

  /** True when the event is handled or buried, false when the reader stops first. */
  private async deliver(stored: Stored): Promise<boolean> {
    const { topic, maxAttempts, logger, handle, bury, clock, group } = this.options
    for (let attempt = 1; ; attempt++) {
      try {
        const data = topic.schema.safeParse(stored.envelope.data)
        if (!data.success) throw new PoisonError(`does not fit the schema of ${topic.name}: ${data.error.message}`)
        await handle({ ...stored, envelope: { ...stored.envelope, data: data.data }, attempt })
        return true
      } catch (error) {
        if (error instanceof PoisonError || attempt >= maxAttempts) {
          logger.error(
            { err: error, group, topic: topic.name, id: stored.envelope.id, attempt },
            'event goes to the dead letter',
          )
          await bury(stored, attempt, error)
          return true
        }
        logger.warn(
          { err: error, group, topic: topic.name, id: stored.envelope.id, attempt },
          'event is delivered again',
        )
        await this.pause(
          clock.sleep(Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS), this.stopping.signal),
        )
        if (this.stopped) return false
      }
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
