import type { readSecretsFile } from '@assay/core/ports/secrets/file'
import type { Secrets } from '@assay/core/ports/secrets/port'
import { WRAPPED } from './rewrap.ts'
import { counted, MigrateError, type Say } from './step.ts'

export type SecretsFile = Awaited<ReturnType<typeof readSecretsFile>>

const entriesOf = ({ secrets }: SecretsFile): [path: string, key: string, value: string][] =>
  Object.entries(secrets).flatMap(([path, keys]) =>
    Object.entries(keys).map(([key, value]): [string, string, string] => [path, key, value]),
  )
export const secretsIn = (file: SecretsFile): number => entriesOf(file).length

/** Why they can't move there; never a value. */
export async function secretProblems(file: SecretsFile, to: Secrets, isOwn: boolean): Promise<string[]> {
  const rewrapped = new Set(WRAPPED.map(({ key }) => key))
  const problems = [...file.keys.filter((name) => !rewrapped.has(name)), ...file.totp].map(
    (name) => `the key ${name} never leaves the secrets file: what it made could not be read with the server's`,
  )
  if (isOwn) return problems
  for (const [path, key, value] of entriesOf(file)) {
    const there = await to.getSecret(path, key)
    if (there !== null && there !== value) problems.push(`VAULT_ADDR holds another value of ${path} ${key} already`)
  }
  return problems
}

export async function moveSecrets(file: SecretsFile, to: Secrets, say: Say): Promise<void> {
  const entries = entriesOf(file)
  for (const [path, key, value] of entries) {
    if ((await to.getSecret(path, key)) === value) continue
    await to.setSecret(path, key, value)
    if ((await to.getSecret(path, key)) !== value)
      throw new MigrateError(`${path} ${key} does not read back as it was written`)
  }
  say('secrets', `${counted(entries.length, 'value')} of ${counted(Object.keys(file.secrets).length, 'path')}: same`)
}
