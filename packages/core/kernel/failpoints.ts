type Action = () => void | Promise<void>
const armed = new Map<string, Action>()

/** A named place where a test may stop or fail the process; without an armed action it does nothing. */
export const failpoint = (name: string): void | Promise<void> => armed.get(name)?.()
/** Arms a failpoint; returns what disarms it. */
export function armFailpoint(name: string, action: Action): () => void {
  armed.set(name, action)
  return () => armed.delete(name)
}
