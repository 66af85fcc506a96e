import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Difference } from './compare.ts'
import type { OracleWorld } from './worlds.ts'

const FOLDER = `${import.meta.dir}/kept`

/** Cases that once differed, shrunk: replayed before anything else. */
export function keptCases(): { name: string; world: OracleWorld }[] {
  if (!existsSync(FOLDER)) return []
  const names = readdirSync(FOLDER).filter((file) => file.endsWith('.json'))
  return names.sort().map((name) => ({ name, world: JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8')) }))
}
/** Writes a shrunk case where the test finds it; answers its file. */
export function keep({ world, difference }: { world: OracleWorld; difference: Difference }, folder = FOLDER): string {
  mkdirSync(folder, { recursive: true })
  const file = `${folder}/${difference.what.replace(/\W+/g, '-')}-${world.seed}.json`
  writeFileSync(file, `${JSON.stringify(world, null, 1)}\n`)
  return file
}
