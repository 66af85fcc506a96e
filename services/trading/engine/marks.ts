import type { LiveView } from '@assay/core/domain/engine/live'
import type { Lifecycle } from '@assay/core/kernel/lifecycle'
import type { Clock } from '@assay/core/ports/clock/port'
import type { OwnerApi } from './owner-thread.ts'

/** At most four marks a second for each account, only while somebody listens. */
const MARK_MS = 250

export class Marks {
  private readonly listeners = new Map<string, Set<(view: LiveView) => void>>()
  private readonly last = new Map<string, { mseq: number; aseq: number }>()
  private running = false

  constructor(
    private readonly api: OwnerApi,
    private readonly clock: Clock,
    private readonly lifecycle: Lifecycle,
    /** may this owner answer for the account now? */
    private readonly serves: (account: string) => boolean,
    /** hears each mark once, however many listen */
    private readonly marked: (view: LiveView) => void = () => {},
  ) {}

  listen(account: string, heard: (view: LiveView) => void): () => void {
    let set = this.listeners.get(account)
    if (!set) {
      set = new Set()
      this.listeners.set(account, set)
      this.api.watch(account, true)
    }
    set.add(heard)
    this.run()
    return () => {
      if (!set.delete(heard) || set.size > 0) return
      this.listeners.delete(account)
      this.last.delete(account)
      this.api.watch(account, false)
    }
  }

  private run(): void {
    if (this.running) return
    this.running = true
    this.lifecycle.background('engine marks', async (signal) => {
      while (this.listeners.size > 0 && !signal.aborted) {
        for (const view of await this.api.marks()) if (this.serves(view.account)) this.tell(view)
        await this.clock.sleep(MARK_MS, signal).catch(() => {})
      }
      this.running = false
    })
  }
  private tell(view: LiveView): void {
    const last = this.last.get(view.account)
    if (last && last.mseq === view.mseq && last.aseq === view.aseq) return
    this.last.set(view.account, { mseq: view.mseq, aseq: view.aseq })
    this.marked(view)
    for (const heard of this.listeners.get(view.account) ?? []) heard(view)
  }
}
