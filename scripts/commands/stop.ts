import { findInstance, homeOfConfig, isAlive } from '../instance.ts'

export const summary = 'stops the platform that runs on this data folder'

/** A distributed platform ends in three waves. */
const DEADLINE_MS = 90_000

export async function run(): Promise<number> {
  const home = homeOfConfig()
  const instance = findInstance(home)
  if (!instance) {
    console.log(`nothing runs on ${home}`)
    return 0
  }
  process.kill(instance.pid, 'SIGTERM')
  const end = performance.now() + DEADLINE_MS
  while (isAlive(instance.pid) && performance.now() < end) await Bun.sleep(50)
  if (isAlive(instance.pid)) {
    console.error(`process ${instance.pid} has not ended within ${DEADLINE_MS / 1000} s`)
    return 1
  }
  console.log(`stopped process ${instance.pid}`)
  return 0
}
