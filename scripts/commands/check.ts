import { runGates } from '../gates/all.ts'

export const summary =
  'types, lint, import law, generated files, routes, access table, walks, licences, vulnerabilities'

export async function run(): Promise<number> {
  return (await runGates()) ? 0 : 1
}
