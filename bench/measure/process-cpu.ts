import { readdirSync, readFileSync } from 'node:fs'

/** CPU time of a process's threads so far, µs; of Linux's scheduler, in ns: its clock ticks would be 10 ms. */
export function processCpu(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`)
  const ns = tasks.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]))
  return ns.reduce((sum, own) => sum + own, 0) / 1_000
}
