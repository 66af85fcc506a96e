import { findInstance, homeOfConfig, isAlive } from '../instance.ts'
import { readProcesses } from '../supervise/processes.ts'

export const summary = 'what runs on this data folder, and its health; exit 1 when nothing does or it is down'

export async function run(): Promise<number> {
  const home = homeOfConfig()
  const instance = findInstance(home)
  if (!instance) {
    console.log(`nothing runs on ${home}`)
    return 1
  }
  const answer = await fetch(`${instance.url}/health`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined)
  const health =
    answer && ((await answer.json()) as { status: string; version: string; uptime_s: number; degraded: string[] })
  console.log(
    `${instance.url}  process ${instance.pid}  ${health?.status ?? 'no answer'}  ${health ? `up ${health.uptime_s} s  ${health.version}` : ''}`,
  )
  for (const { instance: name, pid, url, ready, restarts } of readProcesses(home)) {
    const state = pid === undefined || !isAlive(pid) ? 'not running' : ready ? 'ready' : 'starting'
    const again = restarts > 0 ? `  started again ${restarts} times` : ''
    console.log(`  ${name.padEnd(16)} ${state.padEnd(12)} ${url}  process ${pid ?? '-'}${again}`)
  }
  for (const reason of health?.degraded ?? []) console.log(`  ${reason}`)
  return answer?.ok ? 0 : 1
}
