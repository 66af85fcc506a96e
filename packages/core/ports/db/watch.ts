/** Tells who waits for a table that this process has just committed statements which name it. */
export class Watch {
  private readonly listeners = new Map<string, Set<() => void>>()

  on(table: string, heard: () => void): () => void {
    const listeners = this.listeners.get(table) ?? new Set()
    this.listeners.set(table, listeners.add(heard))
    return () => listeners.delete(heard)
  }

  committed(texts: readonly string[]): void {
    for (const [table, listeners] of this.listeners) {
      if (texts.some((text) => text.includes(table))) for (const heard of listeners) heard()
    }
  }
}
