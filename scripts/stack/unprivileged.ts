import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { getuid } from 'node:process'
import { step } from './installed.ts'

/** Runs programs that refuse root: as somebody else when this process is root, else as it is. */
export interface Unprivileged {
  command(program: string[]): string[]
  /** gives a file or folder to that user */
  own(path: string): Promise<void>
}

const CANDIDATES = ['postgres', 'nobody']

export function unprivileged(folder: string): Unprivileged {
  if (getuid?.() !== 0) return { command: (program) => program, own: async () => {} }
  const user = findUser()
  // it may write where root's own folders stand above; only then, since a container may lack the capability
  const reach = isReachable(folder) ? [] : ['--inh-caps=+dac_override', '--ambient-caps=+dac_override']
  const become = ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', ...reach]
  return {
    command: (program) => [...become, ...program],
    own: async (path) => void (await step(['chown', '-R', `${user.uid}:${user.gid}`, path])),
  }
}

function findUser(): { uid: number; gid: number } {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const user = CANDIDATES.map((name) => users.find(([one]) => one === name)).find(Boolean)
  if (!user) throw new Error(`PostgreSQL refuses root, and /etc/passwd has none of ${CANDIDATES.join(', ')}`)
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

/** Every folder above lets others through. */
function isReachable(folder: string): boolean {
  for (let above = dirname(folder); ; above = dirname(above)) {
    if ((statSync(above).mode & 0o001) === 0) return false
    if (above === dirname(above)) return true
  }
}
