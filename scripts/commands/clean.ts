import { existsSync, rmSync } from 'node:fs'
import { findInstance, homeOfConfig } from '../instance.ts'
import { parseOptions } from '../options.ts'

export const summary = '--yes: deletes the data folder, with every account, journal and key in it'

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, { yes: { type: 'boolean', default: false } })
  const home = homeOfConfig()
  const instance = findInstance(home)
  if (instance) {
    console.error(`process ${instance.pid} runs on ${home}: stop it first (./assay stop)`)
    return 1
  }
  if (!existsSync(home)) {
    console.log(`nothing to delete: ${home}`)
    return 0
  }
  if (!values.yes) {
    console.error(`this deletes ${home} with every account, journal and key in it; add --yes to do so`)
    return 2
  }
  rmSync(home, { recursive: true })
  console.log(`deleted ${home}`)
  return 0
}
