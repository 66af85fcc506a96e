import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { identityOf } from './processes.ts'
import type { ServerName } from './server.ts'

/** What another process needs to find a server again and to end it, in its folder. */
export interface Recorded {
  name: ServerName
  version: string
  address: string
  ports: Readonly<Record<string, number>>
  /** of a copy of the data folder it is not the server */
  folder?: string
  pid: number
  stopSignal: NodeJS.Signals
  /** tells the process from a later one with its id */
  identity: string | undefined
}
const fileIn = (folder: string) => join(folder, 'server.json')

export function record(
  {
    name,
    version,
    address,
    ports,
    folder,
  }: Omit<Recorded, 'pid' | 'identity' | 'stopSignal' | 'folder'> & { folder: string },
  { pid, stopSignal }: { pid: number; stopSignal: NodeJS.Signals },
): void {
  const own = realpathSync(folder)
  const recorded: Recorded = { name, version, address, ports, folder: own, pid, stopSignal, identity: identityOf(pid) }
  writeFileSync(fileIn(folder), `${JSON.stringify(recorded)}\n`)
}

export function readRecord(folder: string): Recorded | undefined {
  try {
    const recorded = JSON.parse(readFileSync(fileIn(folder), 'utf8')) as Recorded
    return recorded.folder === undefined || recorded.folder === realpathSync(folder) ? recorded : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The recorded process still runs. */
export const isRunning = ({ pid, identity }: Recorded): boolean =>
  identity !== undefined && identityOf(pid) === identity
