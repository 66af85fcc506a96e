import { appendFileSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'

type Action = () => void | Promise<void>
const armed = new Map<string, Action>()

/** A named place where a test may stop or fail the process; without an armed action it does nothing. */
export const failpoint = (name: string): void | Promise<void> => armed.get(name)?.()
/** Arms a failpoint; returns what disarms it. */
export function armFailpoint(name: string, action: Action): () => void {
  armed.set(name, action)
  return () => armed.delete(name)
}

/**
 * `FILE:MS:NAME[,NAME]`: each point notes `+NAME` in FILE, waits MS ms and notes `-NAME`, so that a kill test can tell
 * from the last line where its kill landed. `%p` in FILE is the process id: of several processes each has its own.
 */
export function armFailpoints(setting: string): void {
  const [path, ms, names] = setting.split(':') as [string, string, string]
  const file = path.replaceAll('%p', String(process.pid))
  for (const name of names.split(',')) {
    armFailpoint(name, async () => {
      appendFileSync(file, `+${name}\n`)
      await after(Number(ms))
      appendFileSync(file, `-${name}\n`)
    })
  }
}
