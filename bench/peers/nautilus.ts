/** NautilusTrader of PyPI in a Python process of its own: installed once into the project's cache, asked over stdin. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../../scripts/root.ts'
import { run, startLines } from './process.ts'

const HERE = `${import.meta.dir}/nautilus`
const REQUIREMENTS = `${HERE}/requirements.txt`
const CACHE = `${ROOT}node_modules/.cache/assay`
/** what its wheels are built for */
const PYTHONS = ['python3', 'python3.13', 'python3.12', 'python3.11']
const CAN_INSTALL = 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'
const INSTALL_MS = 600_000
const ANSWER_MS = 300_000

export interface Nautilus {
  name: string
  ask<T>(question: object): Promise<T>
  close(): Promise<void>
}

/** `bench`: a module beside serve.py; `world`: what it loads before it is asked. */
export async function startNautilus(bench: string, world: object): Promise<Nautilus> {
  const python = await installed()
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const file = join(folder, 'world.json')
  writeFileSync(file, JSON.stringify(world))
  const lines = startLines([python, '-B', 'serve.py', bench, file], HERE)
  const close = async (): Promise<void> => {
    await lines.close()
    rmSync(folder, { recursive: true, force: true })
  }
  const ask = async <T>(question: object): Promise<T> => {
    lines.write(JSON.stringify(question))
    return JSON.parse(await lines.read(ANSWER_MS)) as T
  }
  try {
    const { nautilus, cpython } = JSON.parse(await lines.read(ANSWER_MS)) as { nautilus: string; cpython: string }
    return { name: `NautilusTrader ${nautilus} on CPython ${cpython}, no log, no analysis`, ask, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The same, or null and a line on stderr where it cannot be installed: figures then stand alone. */
export async function nautilusIfThere(bench: string, world: object): Promise<Nautilus | null> {
  try {
    return await startNautilus(bench, world)
  } catch (error) {
    console.error(`without NautilusTrader: ${(error as Error).message}`)
    return null
  }
}

/** Its interpreter, in a folder named by what is in it. */
async function installed(): Promise<string> {
  const requirements = readFileSync(REQUIREMENTS, 'utf8')
  const home = `${CACHE}/nautilus-${createHash('sha256').update(requirements).digest('hex').slice(0, 16)}`
  const python = `${home}/bin/python`
  if (existsSync(python)) return python
  console.error('installing NautilusTrader into node_modules/.cache (once, 700 MB)')
  mkdirSync(CACHE, { recursive: true })
  const made = mkdtempSync(`${home}-`)
  try {
    await run([await interpreter(), '-m', 'venv', made], INSTALL_MS)
    const pip = [`${made}/bin/python`, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
    await run([...pip, '--no-deps', '--only-binary', ':all:', '-r', REQUIREMENTS], INSTALL_MS)
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
