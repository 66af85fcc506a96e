/** Something that must hold before tests run. `check` returns what is wrong, one line each. */
export interface Gate {
  name: string
  check(): Promise<string[]>
  /** set when the gate could not ask somebody it needs: it passes and says so */
  note?: string
}
