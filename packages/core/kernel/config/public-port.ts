import { z } from 'zod'
import { isAddressRange } from '../proxies.ts'
import type { ConfigProblem } from './problem.ts'
import { list } from './values.ts'

const ranges = () => list(z.string().refine(isAddressRange, 'must be addresses or CIDR ranges'))

/** The variables of who reaches the public port, and how. */
export const publicPortVariables = {
  HTTPS_CERT_FILE: z.string().optional(),
  HTTPS_KEY_FILE: z.string().optional(),
  HTTPS_REDIRECT_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  ADDRESS_ALLOW: ranges(),
  ADDRESS_DENY: ranges(),
}
const slice = z.object(publicPortVariables)
export type PublicPortConfig = z.infer<typeof slice>

/** Which variables lack their other half. */
export function publicPortProblems(values: Readonly<Record<string, string>>): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const halves = ['HTTPS_CERT_FILE', 'HTTPS_KEY_FILE']
  const missing = halves.filter((name) => !values[name])
  if (missing.length === 1) problems.push({ variable: missing[0]!, reason: 'the other half is set' })
  if (values.HTTPS_REDIRECT_PORT && missing.length > 0)
    problems.push({ variable: 'HTTPS_REDIRECT_PORT', reason: 'needs HTTPS_CERT_FILE and HTTPS_KEY_FILE' })
  return problems
}
