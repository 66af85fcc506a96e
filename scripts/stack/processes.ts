import { readdirSync, readFileSync } from 'node:fs'

/** Children of a process and theirs: PostgreSQL's backends are no group of their own. */
export function descendants(pid: number): number[] {
  const children = childrenOf()
  const found: number[] = []
  const open = [pid]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const own = children.get(next) ?? []
    found.push(...own)
    open.push(...own)
  }
  return found
}

function childrenOf(): Map<number, number[]> {
  const children = new Map<number, number[]>()
  for (const [pid, parent] of parents()) children.set(parent, [...(children.get(parent) ?? []), pid])
  return children
}

function parents(): [number, number][] {
  const { stdout } = Bun.spawnSync(['ps', '-A', '-o', 'pid=,ppid='])
  const rows = stdout.toString().trim().split('\n')
  return rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number])
}

/** Tells a process from a later one with the same id; undefined when there is none. */
export function identityOf(pid: number): string | undefined {
  try {
    // the 22nd field, ticks since boot; the name before it may hold spaces
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    if (hasProc()) return undefined
    const { stdout } = Bun.spawnSync(['ps', '-o', 'lstart=', '-p', String(pid)])
    return stdout.toString().trim() || undefined
  }
}

function hasProc(): boolean {
  try {
    return readdirSync('/proc').includes('self')
  } catch {
    return false
  }
}

/** The process is gone, or is not the one meant: nothing to signal. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
