import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { identityOf } from './processes.ts'
import type { ServerName } from './server.ts'

/** What another process needs to find a server again and to end it, in its folder. */
export interface Recorded {
  name: ServerName
  version: string
  address: string
  ports: Readonly<Record<string, number>>
  pid: number
  stopSignal: NodeJS.Signals
  /** tells the process from a later one with its id */
  identity: string | undefined
}
const fileIn = (folder: string) => join(folder, 'server.json')

export function record(
  { name, version, address, ports, folder }: Omit<Recorded, 'pid' | 'identity' | 'stopSignal'> & { folder: string },
  { pid, stopSignal }: { pid: number; stopSignal: NodeJS.Signals },
): void {
  const recorded: Recorded = { name, version, address, ports, pid, stopSignal, identity: identityOf(pid) }
  writeFileSync(fileIn(folder), `${JSON.stringify(recorded)}\n`)
}

export function readRecord(folder: string): Recorded | undefined {
  try {
    return JSON.parse(readFileSync(fileIn(folder), 'utf8')) as Recorded
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The recorded process still runs. */
export const isRunning = ({ pid, identity }: Recorded): boolean =>
  identity !== undefined && identityOf(pid) === identity
