import { access } from './access.ts'
import { documents } from './documents.ts'
import type { Gate } from './gate.ts'
import { generated } from './generated.ts'
import { imports } from './imports.ts'
import { licences } from './licences.ts'
import { lint } from './lint.ts'
import { routes } from './routes.ts'
import { security } from './security.ts'
import { types } from './types.ts'
import { vulnerabilities } from './vulnerabilities.ts'

export const gates: readonly Gate[] = [
  types,
  lint,
  imports,
  generated,
  routes,
  access,
  documents,
  licences,
  security,
  vulnerabilities,
]

const SHOWN = 60

/** Runs them all, says each one's seconds; true when all hold. */
export async function runGates(): Promise<boolean> {
  let passed = true
  for (const gate of gates) {
    const start = performance.now()
    const problems = await gate.check()
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    const word = problems.length > 0 ? 'FAILED' : 'ok'
    console.log(`gate ${gate.name.padEnd(16)} ${word.padEnd(6)} ${seconds} s${gate.note ? `  ${gate.note}` : ''}`)
    for (const problem of problems.slice(0, SHOWN)) console.log(`  ${problem}`)
    if (problems.length > SHOWN) console.log(`  and ${problems.length - SHOWN} more`)
    passed &&= problems.length === 0
  }
  return passed
}
