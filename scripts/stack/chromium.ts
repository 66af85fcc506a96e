import { getuid } from 'node:process'
import { hasDebianPackages } from './debian.ts'
import { onPath, step } from './installed.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']
const PACKAGES = ['chromium', 'fonts-dejavu-core']

const present = (): string | undefined => NAMES.map(onPath).find((found) => found !== undefined)

/**
 * A browser for tests: one of this machine, else Debian's, installed. Its hundred libraries are not worth a folder of our
 * own, and playwright's builds come from a host of theirs.
 */
export async function installChromium(): Promise<string> {
  const found = present()
  if (found) return found
  if (!hasDebianPackages() || getuid?.() !== 0)
    throw new Error(`There is no Chromium: apt-get install -y --no-install-recommends ${PACKAGES.join(' ')}`)

  await step(['apt-get', 'update'])
  await step(['apt-get', 'install', '-y', '--no-install-recommends', ...PACKAGES])
  const made = present()
  if (!made) throw new Error('apt-get has installed no Chromium')
  return made
}
