import { existsSync, readFileSync } from 'node:fs'

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
  const [state, started, threads = 1] = stateOf(pid)
  // its first thread may end before the others, and they hold its ports
  return state === undefined || (state.startsWith('Z') && threads <= 1) ? undefined : started
}
/** By SIGSTOP, or gone. */
export function isStopped(pid: number): boolean {
  const [state] = stateOf(pid)
  return state === undefined || /^[TtZX]/.test(state)
}

/** State letter, moment of its start, number of threads where the system says it. */
function stateOf(pid: number): [state?: string, started?: string, threads?: number] {
  if (existsSync('/proc/self/stat')) {
    try {
      // fields 3, 22 and 20; the name before them may hold spaces
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
      return [fields[0], fields[19], Number(fields[17])]
    } catch {
      return []
    }
  }
  const { stdout } = Bun.spawnSync(['ps', '-o', 'state=,lstart=', '-p', String(pid)])
  const [state, ...started] = stdout.toString().trim().split(/\s+/)
  return [state || undefined, started.join(' ')]
}

/** False: it is gone. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
