import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { environment, readConfig } from '@assay/core/kernel/config'

/** The platform that runs on a data folder, for stop and status. */
export interface Instance {
  pid: number
  url: string
}
const fileIn = (home: string) => join(home, 'instance.json')

export const homeOfConfig = (): string => readConfig(environment()).platform.ASSAY_HOME

export function recordInstance(home: string, instance: Instance): void {
  writeFileSync(fileIn(home), `${JSON.stringify(instance)}\n`)
}
export function forgetInstance(home: string): void {
  rmSync(fileIn(home), { force: true })
}
/** The running one; a file left by a killed process names nobody. */
export function findInstance(home: string): Instance | undefined {
  try {
    const instance = JSON.parse(readFileSync(fileIn(home), 'utf8')) as Instance
    return isAlive(instance.pid) ? instance : undefined
  } catch {
    return undefined
  }
}
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
