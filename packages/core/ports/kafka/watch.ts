import type { Clock } from '../clock/port.ts'
import type { KafkaConnection } from './connection.ts'
import { PartitionFetcher } from './partition-fetcher.ts'

const EVERY_MS = 1_000
const PATIENCE_MS = 3_000

/** Asks a broker for the end of a topic now and then, to say whether Kafka answers. */
export class KafkaWatch {
  private readonly closing = new AbortController()
  private readonly fetcher: PartitionFetcher
  private readonly finished: Promise<void>
  private askedAt: number | null = null

  constructor(
    connection: KafkaConnection,
    topic: string,
    private readonly clock: Clock,
  ) {
    this.fetcher = new PartitionFetcher(connection, topic, 0, clock, this.closing.signal)
    this.finished = this.run()
  }

  /** Why it does not answer; null: it does. */
  away(): string | null {
    const since = this.askedAt === null ? 0 : this.clock.monotonic() - this.askedAt
    return since > PATIENCE_MS ? `no answer for ${Math.round(since / 1000)} s` : null
  }

  async close(): Promise<void> {
    this.closing.abort()
    await this.fetcher.close()
    await this.finished
  }

  private async run(): Promise<void> {
    const { signal } = this.closing
    while (!signal.aborted) {
      this.askedAt = this.clock.monotonic()
      // asks again until it gets an answer
      await this.fetcher.bounds().then(
        () => {
          this.askedAt = null
        },
        () => {},
      )
      await this.clock.sleep(EVERY_MS, signal).catch(() => {})
    }
  }
}
