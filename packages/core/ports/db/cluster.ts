import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

export const clusterExists = (folder: string): boolean => existsSync(join(folder, 'PG_VERSION'))

/**
 * A new database folder: a copy of `template` where that exists, else made by initdb in a child process, which takes
 * a gigabyte with it when it ends. It appears under its name when it is whole.
 */
export async function createCluster(folder: string, template?: string): Promise<void> {
  const unfinished = `${folder}.new`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 })
  if (template !== undefined && clusterExists(template)) cpSync(template, unfinished, { recursive: true })
  else await initdb(unfinished)
  renameSync(unfinished, folder)
}

async function initdb(folder: string): Promise<void> {
  const script = new URL('./initdb.ts', import.meta.url).pathname
  const child = Bun.spawn([process.execPath, script, folder], { stdout: 'ignore', stderr: 'pipe' })
  if ((await child.exited) !== 0) throw new Error(`initdb failed: ${await new Response(child.stderr).text()}`)
}
