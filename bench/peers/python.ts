/** Python peers: packages of PyPI, pinned by a requirements file, in the project's cache. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { ROOT } from '../../scripts/root.ts'
import { run } from './process.ts'

const CACHE = `${ROOT}node_modules/.cache/assay`
/** what the peers' wheels are built for */
const PYTHONS = ['python3', 'python3.13', 'python3.12', 'python3.11']
const CAN_INSTALL = 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'
const INSTALL_MS = 600_000

/** An interpreter that has what the file lists, installed once into the project's cache, in a folder named by what is in it. */
export async function pythonWith(requirementsFile: string, what: string): Promise<string> {
  const requirements = readFileSync(requirementsFile, 'utf8')
  const home = `${CACHE}/python-${createHash('sha256').update(requirements).digest('hex').slice(0, 16)}`
  const python = `${home}/bin/python`
  if (existsSync(python)) return python
  console.error(`installing ${what} into node_modules/.cache (once)`)
  mkdirSync(CACHE, { recursive: true })
  const made = mkdtempSync(`${home}-`)
  try {
    await run([await interpreter(), '-m', 'venv', made], INSTALL_MS)
    const pip = [`${made}/bin/python`, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
    await run([...pip, '--no-deps', '--only-binary', ':all:', '-r', requirementsFile], INSTALL_MS)
    // whoever was first has won: both hold the same
    if (!existsSync(python)) renameSync(made, home)
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
  return python
}
async function interpreter(): Promise<string> {
  for (const python of PYTHONS) {
    const works = await run([python, '-c', CAN_INSTALL], 10_000).then(
      () => true,
      () => false,
    )
    if (works) return python
  }
  throw new Error('it needs Python 3.11 to 3.13 with venv')
}
