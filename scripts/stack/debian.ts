import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { getuid } from 'node:process'
import { onPath, step } from './installed.ts'

export const hasDebianPackages = (): boolean => Boolean(onPath('apt-get') && onPath('dpkg-deb'))

/** Debian packages unpacked into a folder: nothing on the machine changes, no root needed when its lists are fresh. */
export async function unpackDebian(packages: string[], into: string): Promise<void> {
  // apt's own user may not write into folders of root
  const download = () => step(['apt-get', '-o', 'APT::Sandbox::User=root', 'download', ...packages], { cwd: into })
  try {
    await download()
  } catch (error) {
    if (getuid?.() !== 0) throw error
    await step(['apt-get', 'update'])
    await download()
  }
  for (const file of readdirSync(into).filter((name) => name.endsWith('.deb'))) {
    await step(['dpkg-deb', '-x', join(into, file), into])
    await Bun.file(join(into, file)).delete()
  }
}
