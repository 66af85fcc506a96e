import type { Host } from './host.ts'
import { type OwnerApi, remoteOwner } from './owner-thread.ts'

export interface OwnerThread {
  api: OwnerApi
  /** rejects when the thread dies; resolves when it was stopped */
  failed: Promise<void>
  stop: () => void
}
/** Starts an owner in a worker and connects it to its host in this thread. */
export function startOwnerThread(host: Host): OwnerThread {
  const worker = new Worker(new URL('./worker.ts', import.meta.url).href)
  const ended = Promise.withResolvers<void>()
  worker.addEventListener('error', (event) => ended.reject(new Error(`the engine's thread failed: ${event.message}`)))
  return {
    api: remoteOwner(worker, host),
    failed: ended.promise,
    stop() {
      ended.resolve()
      worker.terminate()
    },
  }
}
