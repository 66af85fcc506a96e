/** A variable that stops the start, and why. */
export interface ConfigProblem {
  variable: string
  reason: string
}
