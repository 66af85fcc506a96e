import { existsSync } from 'node:fs'
import { ROOT } from '../root.ts'
import type { Gate } from './gate.ts'

const ALLOWED = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Unlicense',
  'CC0-1.0',
  'BlueOak-1.0.0',
  'Python-2.0',
  'PostgreSQL',
])

type Named = string | { type: string }
interface Manifest {
  name: string
  license?: Named | Named[]
  licenses?: Named[]
  dependencies?: Record<string, string>
}

/** Every package that production code can load has a licence that Apache-2.0 software may ship with. */
export const licences: Gate = {
  name: 'licences',
  async check() {
    const problems: string[] = []
    for (const { manifest, folder } of await productionPackages()) {
      const licence = licenceOf(manifest) || (await licenceOfFile(folder))
      if (!isAllowed(licence)) problems.push(`${manifest.name}: ${licence || 'no licence'}`)
    }
    return problems
  },
}

/** The closure of the workspaces' dependencies, without what is for development. */
async function productionPackages(): Promise<{ manifest: Manifest; folder: string }[]> {
  const found = new Map<string, Manifest>()
  const waiting = [`${ROOT}package.json`, `${ROOT}packages/core/package.json`, `${ROOT}services/package.json`]
  for (let path = waiting.pop(); path; path = waiting.pop()) {
    if (found.has(path)) continue
    const manifest = (await Bun.file(path).json()) as Manifest
    found.set(path, manifest)
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const next = resolvePackage(name, path)
      if (next) waiting.push(next)
    }
  }
  return [...found]
    .map(([path, manifest]) => ({ manifest, folder: path.slice(0, path.lastIndexOf('/')) }))
    .filter(({ manifest: { name } }) => !name.startsWith('@assay/') && name !== 'assay')
}

function resolvePackage(name: string, from: string): string | undefined {
  for (
    let folder = from.slice(0, from.lastIndexOf('/'));
    folder.length >= ROOT.length - 1;
    folder = folder.slice(0, folder.lastIndexOf('/'))
  ) {
    const path = `${folder}/node_modules/${name}/package.json`
    if (existsSync(path)) return path
  }
  return undefined
}

/** One or several to choose from, in whichever of the ways npm has known. */
const licenceOf = ({ license, licenses }: Manifest): string =>
  [license ?? licenses ?? []]
    .flat()
    .map((one) => (typeof one === 'string' ? one : one.type))
    .join(' OR ')

/** Where the manifest is silent the text's title decides. */
async function licenceOfFile(folder: string): Promise<string> {
  const file = Bun.file(`${folder}/LICENSE`)
  const title = (await file.exists()) ? (await file.text()).slice(0, 200) : ''
  if (/MIT License/i.test(title)) return 'MIT'
  return /Apache License\s+Version 2\.0/i.test(title) ? 'Apache-2.0' : ''
}

/** SPDX: one of an OR, all of an AND. */
export const isAllowed = (expression: string): boolean =>
  expression
    .replace(/[()]/g, ' ')
    .split(/\s+OR\s+/)
    .some((choice) => choice.split(/\s+AND\s+/).every((one) => ALLOWED.has(one.trim())))
