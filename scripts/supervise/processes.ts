import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A process of a distributed platform, for status, logs and tests. */
export interface ProcessRecord {
  instance: string
  service: string
  pid: number | undefined
  url: string
  ready: boolean
  restarts: number
}
const fileIn = (home: string) => join(home, 'processes.json')

export function recordProcesses(home: string, processes: readonly ProcessRecord[]): void {
  writeFileSync(`${fileIn(home)}.new`, `${JSON.stringify(processes, null, 2)}\n`)
  renameSync(`${fileIn(home)}.new`, fileIn(home))
}
export const forgetProcesses = (home: string): void => rmSync(fileIn(home), { force: true })

/** Empty: the platform is one process. */
export function readProcesses(home: string): ProcessRecord[] {
  try {
    return JSON.parse(readFileSync(fileIn(home), 'utf8')) as ProcessRecord[]
  } catch {
    return []
  }
}
