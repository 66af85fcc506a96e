import { ALIASES, REPLACED, VARIABLES, type Variable } from '@assay/core/contracts/variables'
import { services } from '@assay/services/all'
import { z } from 'zod'

/** .env.example: every variable with its default; nothing needs to be set. */
export function envExample(): string {
  for (const { name, config } of services) {
    const unknown = Object.keys(config instanceof z.ZodObject ? config.shape : {}).filter(
      (variable) => !VARIABLES.some((known) => known.name === variable),
    )
    if (unknown.length > 0)
      throw new Error(`${unknown.join(', ')} of ${name} must be in packages/core/contracts/variables.ts`)
  }
  const used = VARIABLES.filter((variable) => !variable.later)
  const later = VARIABLES.filter((variable) => variable.later)
  return [
    '# Every variable that Assay knows. Nothing needs to be set: lines that start with # show the default.',
    '# Copy this file to .env in the folder that ./assay is started from. Made by ./assay generate.',
    '',
    ...used.flatMap(lines),
    '# ---- not in this release: a set value stops the start instead of being ignored',
    ...later.map(({ name, about }) => `# ${name}=    ${about}`),
    '',
    '# ---- accepted under another name, with a notice',
    ...Object.entries(ALIASES).map(([alias, name]) => `# ${alias} is ${name}`),
    '',
    '# ---- replaced on purpose (docs/from-the-original-documents.md)',
    ...Object.entries(REPLACED).map(([name, by]) => `# ${name}: ${by}`),
    '',
  ].join('\n')
}

const lines = ({ name, default: value, about }: Variable): string[] => [`# ${about}`, `# ${name}=${value ?? ''}`, '']
