/** NautilusTrader of PyPI in a Python process of its own: installed once into the project's cache, asked over stdin. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLines } from './process.ts'
import { pythonWith } from './python.ts'

const HERE = `${import.meta.dir}/nautilus`
const REQUIREMENTS = `${HERE}/requirements.txt`
const ANSWER_MS = 300_000

export interface Nautilus {
  name: string
  ask<T>(question: object): Promise<T>
  close(): Promise<void>
}

/** `bench`: a module beside serve.py; `world`: what it loads before it is asked. */
export async function startNautilus(bench: string, world: object): Promise<Nautilus> {
  const python = await pythonWith(REQUIREMENTS, 'NautilusTrader (700 MB)')
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
