import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '@assay/core/testing/until'

/** The newest letters are looked through: the oldest go away meanwhile. */
const LOOKED_AT = 50

/** Letters of the data folder to this address, oldest first. */
export function lettersTo(home: string, email: string): string[] {
  const folder = join(home, 'mail')
  if (!existsSync(folder)) return []
  // what does not end so is being written
  const names = readdirSync(folder).filter((name) => name.endsWith('.eml'))
  return names
    .sort()
    .slice(-LOOKED_AT)
    .map((name) => readFileSync(join(folder, name), 'utf8').replaceAll('=\n', ''))
    .filter((letter) => letter.includes(`\nTo: ${email}\n`))
}

/** The token in the newest letter to this address, once there are so many. */
export async function tokenTo(home: string, email: string, letters = 1): Promise<string> {
  await until(`a letter to ${email}`, () => lettersTo(home, email).length >= letters)
  return /assaym_[\w-]+/.exec(lettersTo(home, email).at(-1)!)![0]
}
