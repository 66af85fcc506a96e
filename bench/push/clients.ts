import type { FanOut } from './fan-out.ts'
import type { ReadersPlan, ReadersReport } from './readers.ts'

/** The process of readers, seen from the bench. */
export interface Clients {
  /** the stalled ones stop reading now */
  stall(): void
  reset(): void
  /** what was read since the last reset */
  report(): Promise<ReadersReport>
  stop(): Promise<void>
}
export async function connectClients(
  server: FanOut,
  { clients, stalled, timed }: { clients: number; stalled: number; timed: boolean },
): Promise<Clients> {
  let answered: (answer: unknown) => void = () => {}
  const next = () => new Promise<unknown>((resolve) => (answered = resolve))
  const readers = Bun.spawn([process.execPath, `${import.meta.dir}/readers.ts`], {
    stdio: ['ignore', 'inherit', 'inherit'],
    ipc: (message) => answered(message),
    onExit: (_, code) => {
      if (code) answered(Promise.reject(new Error(`The readers ended with ${code}`)))
    },
  })
  const plan: ReadersPlan = {
    port: server.port,
    path: server.path,
    protocols: Array.from({ length: clients + stalled }, (_, client) => server.protocol(client)),
    hello: server.hello,
    stamp: server.stamp ?? { field: '"at":', perMs: 1 },
    stalled,
    timed,
  }
  const ready = next()
  readers.send({ plan })
  await ready
  return {
    stall: () => readers.send({ do: 'stall' }),
    reset: () => readers.send({ do: 'reset' }),
    report() {
      const report = next() as Promise<ReadersReport>
      readers.send({ do: 'report' })
      return report
    },
    async stop() {
      readers.kill()
      await readers.exited
    },
  }
}
/** The report once that many messages were read; rejects when no more come. */
export async function arrived(clients: Clients, messages: number, deadlineMs = 10_000): Promise<ReadersReport> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const report = await clients.report()
    if (report.frames >= messages) return report
    if (performance.now() > end) throw new Error(`${report.frames} of ${messages} messages arrived`)
    await Bun.sleep(1)
  }
}
/** Waits until nothing more comes: what was published so far was read, or kept from those who do not read. */
export async function quiet(clients: Clients): Promise<void> {
  for (let last = -1, frames = 0; last !== frames; ) {
    last = frames
    await Bun.sleep(100)
    frames = (await clients.report()).frames
  }
}
