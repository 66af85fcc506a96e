import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { descendants } from './processes.ts'

/** A port at which somebody else listens. */
export interface TakenPort {
  port: number
  /** `process 4711 (redis-server)`; as much of it as this user may see */
  by: string
}
const HAS_PROC = existsSync('/proc/net/tcp')
const LISTENING = '0A'

/** The first of the ports that is listened at by others than this process and its children. */
export function takenByAnother(pid: number, ports: readonly number[]): TakenPort | undefined {
  for (const port of ports) {
    const sockets = listening(port)
    if (sockets.size > 0 && !holdsOne(pid, sockets)) return { port, by: holderOf(sockets) }
  }
  return undefined
}

/** Who listens there, in words; undefined: nobody. */
export function listenerAt(port: number): string | undefined {
  const sockets = listening(port)
  return sockets.size > 0 ? holderOf(sockets) : undefined
}

/** What listens at a port: sockets by their inodes on Linux, process ids elsewhere. */
function listening(port: number): Set<string> {
  if (!HAS_PROC) {
    const { stdout } = Bun.spawnSync(['lsof', '-nP', '-t', `-iTCP:${port}`, '-sTCP:LISTEN'])
    return new Set(stdout.toString().split('\n').filter(Boolean))
  }
  const at = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].filter(existsSync).flatMap(rowsOf)
  return new Set(rows.filter(([, local, , state]) => state === LISTENING && local?.endsWith(at)).map((row) => row[9]!))
}
const rowsOf = (table: string): string[][] =>
  readFileSync(table, 'utf8')
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/))

/** Also true of a process that this user may not look into: its protocol has to tell it. */
function holdsOne(pid: number, sockets: ReadonlySet<string>): boolean {
  return holds(pid, sockets) !== false || descendants(pid).some((child) => holds(child, sockets) !== false)
}

/** Undefined: this user may not know. */
function holds(pid: number, sockets: ReadonlySet<string>): boolean | undefined {
  if (!HAS_PROC) return sockets.has(String(pid))
  try {
    const open = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`))
    return open.some((target) => sockets.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? ''))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? undefined : false
  }
}
/** Files are closed while they are looked at. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function holderOf(sockets: ReadonlySet<string>): string {
  const pids = HAS_PROC ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [...sockets]
  const pid = pids.find((one) => holds(Number(one), sockets))
  if (!pid) return 'a process that this user may not see'
  const { stdout } = Bun.spawnSync(['ps', '-o', 'comm=', '-p', pid])
  return `process ${pid} (${stdout.toString().trim()})`
}
