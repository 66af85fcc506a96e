import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { capture } from '../capture.ts'
import { ROOT } from '../root.ts'

/** Equal copies of the repository in the system's folder for temporary files, with links to the installed packages. */
export async function copyRepository(count: number): Promise<string[]> {
  const first = await copyOnce()
  const others = Array.from({ length: count - 1 }, () => {
    const copy = newFolder()
    cpSync(first, copy, { recursive: true, verbatimSymlinks: true })
    return copy
  })
  return [first, ...others]
}

const newFolder = (): string => `${mkdtempSync(join(tmpdir(), 'assay-mutate-'))}/`

async function copyOnce(): Promise<string> {
  const { code, output } = await capture(['git', 'ls-files', '--cached', '--others', '--exclude-standard'])
  if (code !== 0) throw new Error(`git ls-files: ${output.trim()}`)
  const copy = newFolder()
  for (const path of output.trim().split('\n')) {
    if (!existsSync(ROOT + path)) continue
    mkdirSync(dirname(copy + path), { recursive: true })
    cpSync(ROOT + path, copy + path)
  }
  // what is ours must be the copy's own: a link to the checkout would test what was not changed
  mkdirSync(`${copy}node_modules/@assay`, { recursive: true })
  for (const name of readdirSync(`${ROOT}node_modules`)) {
    if (name !== '@assay') symlinkSync(`${ROOT}node_modules/${name}`, `${copy}node_modules/${name}`)
  }
  symlinkSync('../../packages/core', `${copy}node_modules/@assay/core`)
  symlinkSync('../../services', `${copy}node_modules/@assay/services`)
  return copy
}
